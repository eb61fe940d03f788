import express from "express";
import { tasks } from "./tasks.js";

const app = express();
app.use(express.json());

app.get("/health", (request, response) => response.json({ status: "ok" }));
app.use("/tasks", tasks);

const port = process.env.PORT ?? 3000;
const server = app.listen(port, () => console.log(`The API listens on port ${port}.`));

// As process 1 of a container, Node.js ignores the signal that `docker stop` sends unless it is handled here.
process.on("SIGTERM", () => server.close(() => process.exit(0)));
