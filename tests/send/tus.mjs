// A server of resumable uploads: node tus.mjs PORT FOLDER MOST_BYTES
import { createRequire } from "node:module";

const require = createRequire(process.env.TUS_MODULES + "/");
const { Server } = require("@tus/server");
const { FileStore } = require("@tus/file-store");
const [port, directory, most] = process.argv.slice(2);
const server = new Server({ path: "/files", datastore: new FileStore({ directory }), maxSize: Number(most) });
server.listen({ host: "127.0.0.1", port: Number(port) });
