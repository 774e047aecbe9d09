// The echo server as Deno's documentation has it, one pipe a connection. That a
// client's failure ends only its own pipe is added: it has to last a benchmark.
const port = Number(Deno.args[0]);
for await (const conn of Deno.listen({ hostname: "127.0.0.1", port })) {
  conn.readable.pipeTo(conn.writable).catch(() => {});
}
