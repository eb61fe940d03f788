// Counts visits in the Redis at REDIS_URL.
const http = require("node:http");
const { hostname } = require("node:os");
const { ask } = require("./redis.js");

const server = http.createServer(async (request, response) => {
  const answer = (status, said) =>
    response.writeHead(status, { "Content-Type": "application/json" }).end(`${JSON.stringify(said)}\n`);
  if (request.url === "/health") return answer(200, { part: "api", host: hostname() });
  if (request.url !== "/visits") return answer(404, { error: "there is /visits and /health" });
  try {
    answer(200, { visits: await ask(process.env.REDIS_URL, "INCR", "visits"), host: hostname() });
  } catch (error) {
    answer(502, { error: `the API does not reach Redis: ${error.message || error.code}` });
  }
});
server.listen(process.env.PORT ?? 3000);
process.on("SIGTERM", () => process.exit(0));
