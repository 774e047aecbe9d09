/**
 * A server whose connections send a true reset, which Deno's own cannot: they send
 * the end of input before it.
 *
 * @module
 */

import { createServer, type Server, type Socket } from "node:net";

/** A connection of it. */
export interface ResettableConn {
  /** Sends bytes. */
  write(bytes: Uint8Array): void;
  /** Resets the connection: the peer gets ECONNRESET, and no end of input. */
  reset(): void;
}

/** A server for one connection, which never reads. */
export async function resettable(): Promise<
  { port: number; accepted: Promise<ResettableConn> } & AsyncDisposable
> {
  const accepted = Promise.withResolvers<ResettableConn>();
  const sockets: Socket[] = [];
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    accepted.resolve({
      write: (bytes) => void socket.write(bytes),
      reset: () => void socket.resetAndDestroy(),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    accepted: accepted.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
