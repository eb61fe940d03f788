// Answers with what src/greeting.js held when this process read it.
const { createServer } = require("node:http");
const greeting = require("./src/greeting");

createServer((request, response) => response.end(greeting)).listen(3000);
process.on("SIGTERM", () => process.exit(0));
