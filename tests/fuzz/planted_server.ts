/**
 * The process under test with a failure in it, which its URL names: it shows that
 * the fuzz finds such a failure.
 *
 * @module
 */

import { answer, type Plant } from "./server.ts";
import { LATENCY_MS } from "./play.ts";

// A grace of 0 is that of the first script of a process, which only loads it.
const PLANTS: Record<string, Plant> = {
  nothing: (options) => options,
  "altered byte": (options) => ({ ...options, faults: { corrupt: 1 } }),
  "lost byte": (options) => ({ ...options, faults: { limitData: 0 } }),
  "byte lost to latency": (options) =>
    JSON.stringify(options.faults).includes(`"latency":${LATENCY_MS}`)
      ? { ...options, faults: { limitData: 0 } }
      : options,
  "lost onClose": (options) => ({ ...options, onClose: () => {} }),
  "negative count": ({ onClose, ...options }) => ({
    ...options,
    onClose: (closed) => onClose!({ ...closed, bytesWritten: -1 }),
  }),
  "surplus count": ({ onClose, ...options }) => ({
    ...options,
    onClose: (closed) =>
      onClose!({ ...closed, bytesWritten: closed.bytesRead + 1 }),
  }),
  "open socket": (options) => {
    Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return options;
  },
  "upstream connection": (options, port) => {
    if (options.grace !== 0) {
      void Deno.connect({ hostname: "127.0.0.1", port: port! });
    }
    return options;
  },
  "error on stderr": (options) => {
    console.error("planted");
    return options;
  },
  crash: ({ onClose, ...options }) => ({
    ...options,
    onClose: (closed) => {
      onClose!(closed);
      if (options.grace !== 0) Promise.reject(new Error("planted"));
    },
  }),
  spin: (options) => ({
    ...options,
    onClose: () => {
      while (options.grace !== 0);
    },
  }),
  "busy loop": (options) => {
    const turn = () => options.grace !== 0 && setImmediate(turn);
    turn();
    return options;
  },
};

const name = new URL(import.meta.url).searchParams.get("plant")!;
if (import.meta.main) await answer(PLANTS[name]);
