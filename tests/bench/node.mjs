// An echo server as Node's documentation would have it, one pipe a connection.
import { createServer } from "node:net";
import process from "node:process";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
