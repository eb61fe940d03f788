// Refuses containers with rights over the machine that the engine runs on: whoever has those can answer in the graders'
// place and stay for the next submission. The engine asks here before each request (moby pkg/authorization/plugin.go).
// A container is judged when it is started and as the engine then has it, for a request can be worded in many ways.
import { realpathSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";

const SOCKET = "/run/docker/plugins/replay.sock";
const OWN = ["/work/project", "/tmp"];
const PATIENCE_MS = 120_000; // as long as an engine without breath may take

// Null where there is no such thing; any other trouble is thrown, for who could not look must not allow.
function ask(path, method = "GET") {
  return new Promise((resolve, reject) => {
    const options = { socketPath: "/run/docker.sock", method, path, signal: AbortSignal.timeout(PATIENCE_MS) };
    const asked = request(options, async (answer) => {
      try {
        const said = await text(answer);
        if (answer.statusCode === 200) resolve(JSON.parse(said));
        else if ([204, 404].includes(answer.statusCode)) resolve(null);
        else reject(new Error(`${answer.statusCode} ${said.trim()}`));
      } catch (error) {
        reject(error);
      }
    });
    asked.on("error", reject).end();
  });
}

function real(path) {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : join(real(dirname(path)), basename(path));
  }
}

function isOwn(path) {
  const at = real(path);
  return OWN.some((folder) => at === folder || at.startsWith(`${folder}/`));
}

async function refusedMount(mount) {
  if (mount.Type === "bind") return isOwn(mount.Source) ? "" : `the machine's ${mount.Source}`;
  if (mount.Type !== "volume") return mount.Type === "tmpfs" ? "" : `a mount of type ${mount.Type}`;
  if (mount.Driver !== "local") return `a volume of ${mount.Driver}`;
  const options = (await ask(`/volumes/${encodeURIComponent(mount.Name)}`))?.Options ?? {};
  if (!options.device || options.type === "tmpfs") return "";
  return options.type === "none" && isOwn(options.device) ? "" : `a volume of the machine's ${options.device}`;
}

async function refusedContainer(name) {
  const path = `/containers/${encodeURIComponent(name)}`;
  const found = await ask(`${path}/json`);
  const refused = found ? await refusedRights(found) : ""; // where there is none the engine will say so
  if (refused && found.HostConfig.AutoRemove) await ask(path, "DELETE"); // which `docker run --rm` waits for
  return refused;
}

async function refusedRights(found) {
  const asked = found.HostConfig;
  if (asked.Privileged) return "privileged";
  for (const list of ["CapAdd", "Devices", "DeviceRequests", "DeviceCgroupRules"]) if (asked[list]?.length) return list;
  for (const mode of ["PidMode", "IpcMode", "UTSMode", "UsernsMode"]) if (asked[mode] === "host") return `${mode} host`;
  const unconfined = (asked.SecurityOpt ?? []).find((option) => !option.startsWith("no-new-privileges"));
  if (unconfined) return unconfined;
  if (asked.CgroupParent) return "CgroupParent";
  if (asked.MaskedPaths?.length === 0) return "the whole of /proc";
  if (!["", "runc"].includes(asked.Runtime)) return asked.Runtime;
  for (const mount of found.Mounts) {
    const refused = await refusedMount(mount);
    if (refused) return refused;
  }
  return "";
}

async function refused({ RequestMethod: method, RequestUri: uri }) {
  if (method !== "POST") return "";
  const path = decodeURIComponent(new URL(uri, "http://engine").pathname);
  const [, container] = path.match(/\/containers\/(.+)\/(?:re)?start$/) ?? [];
  if (container) return refusedContainer(container);
  const [, exec] = path.match(/\/exec\/(.+)\/start$/) ?? [];
  if (exec) return (await ask(`/exec/${encodeURIComponent(exec)}/json`))?.ProcessConfig.privileged ? "privileged" : "";
  return /^(\/v[\d.]+)?\/(plugins|swarm)\//.test(path) ? path : "";
}

async function decide(asked) {
  if (asked.url === "/Plugin.Activate") return { Implements: ["authz"] };
  if (asked.url !== "/AuthZPlugin.AuthZReq") return { Allow: true };
  const what = await refused(JSON.parse(await text(asked)));
  return what ? { Allow: false, Msg: `a replay gives nobody rights over the machine: ${what}` } : { Allow: true };
}

rmSync(SOCKET, { force: true });
const server = createServer(async (asked, response) => {
  const decided = await decide(asked).catch((error) => ({ Allow: false, Msg: `the guard could not look: ${error}` }));
  response.end(JSON.stringify(decided));
});
server.keepAliveTimeout = 0; // the engine does not ask again on a connection that has just been closed
server.listen(SOCKET);
