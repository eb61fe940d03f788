// Asks a Redis one thing, in its own protocol: an array of strings goes out, one line comes back.
const net = require("node:net");

function ask(address, ...words) {
  return new Promise((resolve, reject) => {
    if (!address) throw new Error("REDIS_URL is not set");
    if (!URL.canParse(address) || !address.startsWith("redis://"))
      throw new Error(`REDIS_URL is no redis:// address: ${address}`);
    const { hostname, port } = new URL(address);
    const socket = net.connect({ host: hostname, port: port || 6379, timeout: 1500 });
    const strings = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${strings.join("")}`);
    let said = "";
    socket.on("data", (chunk) => {
      said += chunk;
      if (!said.endsWith("\r\n")) return;
      socket.destroy();
      if (said[0] === ":") resolve(Number(said.slice(1)));
      else reject(new Error(`${address} says ${said.trim()}`));
    });
    socket.on("timeout", () => socket.destroy(new Error(`${address}: no answer within 1.5 s`)));
    socket.on("error", (error) => reject(error));
    socket.on("close", () => reject(new Error(`${address} says nothing that Redis would say`)));
  });
}

module.exports = { ask };
