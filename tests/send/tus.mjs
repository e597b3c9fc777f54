// A server of resumable uploads: node tus.mjs PORT FOLDER MOST_BYTES
//
// What was uploaded is read from the folder: the library's own answer to GET ends the process on Node 20.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const require = createRequire(process.env.TUS_MODULES + "/");
const { Server } = require("@tus/server");
const { FileStore } = require("@tus/file-store");
const [port, directory, most] = process.argv.slice(2);
const tus = new Server({ path: "/files", datastore: new FileStore({ directory }), maxSize: Number(most) });
const read = (url, answer) =>
    createReadStream(join(directory, basename(url)))
        .on("error", () => answer.writeHead(404).end())
        .pipe(answer);
createServer((asked, answer) => (asked.method === "GET" ? read(asked.url, answer) : tus.handle(asked, answer))).listen({
    host: "127.0.0.1",
    port: Number(port),
});
