// Serves the page, and passes /api on to the API at API_URL.
const http = require("node:http");
const { hostname } = require("node:os");

const PAGE = `<!doctype html>
<title>Visits</title>
<h1>You are visitor <output>...</output></h1>
<script>
  fetch("/api").then(async (answer) => {
    const said = await answer.text();
    document.querySelector("output").textContent = answer.ok ? JSON.parse(said).visits : said;
  });
</script>
`;

function askApi(done) {
  const address = process.env.API_URL;
  const fail = (reason) => done(502, `web does not reach the API: ${reason}\n`);
  if (!address) return fail("API_URL is not set");
  if (!URL.canParse(address) || !address.startsWith("http://")) return fail(`API_URL is no http:// address: ${address}`);
  const request = http.get(new URL("/visits", address), { timeout: 2000, agent: false }, (answer) => {
    let said = "";
    answer.on("data", (chunk) => (said += chunk)).on("end", () => done(answer.statusCode, said));
  });
  request.on("timeout", () => request.destroy(new Error("no answer within 2 s")));
  request.on("error", (error) => fail(`${address}: ${error.message || error.code}`));
}

const server = http.createServer((request, response) => {
  const answer = (status, type, said) => response.writeHead(status, { "Content-Type": type }).end(said);
  if (request.url === "/") answer(200, "text/html", PAGE);
  else if (request.url === "/health") answer(200, "application/json", JSON.stringify({ part: "web", host: hostname() }));
  else if (request.url === "/api") askApi((status, said) => answer(status, "application/json", said));
  else answer(404, "text/plain", "there is /, /api and /health\n");
});
server.listen(process.env.PORT ?? 3000);
process.on("SIGTERM", () => process.exit(0));
