/**
 * The fault `slowClose`: the end of input is passed on later.
 *
 * @module
 */

import type { Stage } from "./stage.ts";

/** Delays the end of input. */
export const slowClose: Stage = async function* (chunks, context) {
  const { slowClose = 0 } = context.faults;
  for await (const chunk of chunks) {
    if (chunk.end?.kind === "eof") {
      context.count("slowClose");
      await context.until(chunk.at + slowClose);
    }
    yield chunk;
  }
};
