// Stand-in for ttyd 1.7.7 (https://github.com/tsl0922/ttyd), which no package registry has: the same options, the same paths, the
// same WebSocket protocol, and a plain text area in place of xterm.js.
import { spawn } from "node:child_process";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, createServer } from "node:http";
import { parseArgs } from "node:util";

// Options end at the first word that is none, as with getopt: the rest is the command with options of its own.
const args = process.argv.slice(2);
const paths = ["--base-path", "--index"];
const commandAt = args.findIndex((word, index) => word.startsWith("/") && !paths.includes(args[index - 1] ?? ""));

const { values } = parseArgs({
  args: args.slice(0, commandAt),
  options: {
    port: { type: "string", short: "p", default: "7681" },
    "base-path": { type: "string", short: "b", default: "" },
    writable: { type: "boolean", short: "W", default: false },
    index: { type: "string", short: "I" },
    "client-option": { type: "string", short: "t", multiple: true },
    "check-origin": { type: "boolean", short: "O", default: false },
  },
});

/** First byte of a message, by direction (ttyd's src/server.h). */
const fromServer = { output: "0" } as const;
const fromClient = { input: "0" } as const;

const base = values["base-path"].replace(/\/+$/, "");
const page = `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Terminal</title></head><pre id="out"></pre><input id="in" autofocus aria-label="command">
<script>
const socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/\\/*$/, "/ws"), ["tty"]);
socket.binaryType = "arraybuffer";
socket.onopen = () => socket.send(JSON.stringify({ AuthToken: "", columns: 80, rows: 24 }));
socket.onmessage = ({ data }) => { const text = new TextDecoder().decode(data); if (text[0] === "0") out.append(text.slice(1)); };
document.getElementById("in").onchange = (event) => { socket.send("0" + event.target.value + "\\n"); event.target.value = ""; };
const out = document.getElementById("out");
</script>`;

const server = createServer((request, response) => {
  const path = (request.url ?? "/").split("?")[0];
  if (path === `${base}/`)
    response.writeHead(200, { "content-type": "text/html" }).end(values.index ? readFileSync(values.index) : page);
  else if (path === `${base}/token`)
    response.writeHead(200, { "content-type": "application/json" }).end('{"token": ""}');
  else if (path === base) response.writeHead(302, { location: `${base}/` }).end();
  else response.writeHead(404).end();
});

const sockets = new WebSocketServer({ noServer: true, path: `${base}/ws`, handleProtocols: () => "tty" });
server.on("upgrade", (request, socket, head) => {
  // libwebsockets closes a connection that the protocol's filter refuses, without an answer.
  if (values["check-origin"] && !isFromHost(request.headers)) {
    process.stderr.write("refuse to serve WS client from different origin due to the --check-origin option.\n");
    socket.destroy();
    return;
  }
  sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit("connection", opened, request));
});
sockets.on("connection", (socket) => {
  socket.once("message", () => {
    openTerminal(socket);
  });
});

/** As check_host_origin in ttyd's src/protocol.c: none is refused, and the ports 80 and 443 do not count, whatever the scheme. */
function isFromHost({ origin, host }: IncomingHttpHeaders): boolean {
  const [, scheme, address, port] = /^(https?|wss?):\/\/([^/:]+)(?::(\d+))?/.exec(origin ?? "") ?? [];
  if (address === undefined) return false;
  const number = port ?? (scheme === "https" || scheme === "wss" ? "443" : "80");
  const from = number === "80" || number === "443" ? address : `${address}:${number}`;
  return from.toLowerCase() === host?.toLowerCase();
}

function openTerminal(socket: WebSocket): void {
  // util-linux's `script` gives the command a terminal of its own.
  const child = spawn("script", ["-qefc", args.slice(commandAt).join(" "), "/dev/null"], {
    env: { ...process.env, TERM: "xterm-256color" },
  });
  child.stdout.on("data", (chunk: Buffer) => {
    socket.send(Buffer.concat([Buffer.from(fromServer.output), chunk]));
  });
  child.on("close", () => {
    socket.close();
  });
  socket.on("close", () => child.kill("SIGHUP"));
  socket.on("message", (data: RawData) => {
    const text = (data as Buffer).toString();
    if (values.writable && text.startsWith(fromClient.input)) child.stdin.write(text.slice(1));
  });
}

server.listen(Number(values.port));
