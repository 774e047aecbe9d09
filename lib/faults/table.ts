/**
 * All faults: their options with their ranges, and the stages that inject them. The
 * checks of options, the flags of the server and the README follow from this table.
 *
 * @module
 */

import type { Faults } from "../net/fault_options.ts";
import {
  BOOLEAN,
  checkRange,
  DELAY,
  FRACTION,
  NON_NEGATIVE_INTEGER,
  POSITIVE_INTEGER,
  type Range,
} from "../net/validate.ts";
import { bandwidth } from "./bandwidth.ts";
import { corrupt } from "./corrupt.ts";
import { closeAfter, limitData, reset, resetAfter } from "./cut.ts";
import { latency } from "./latency.ts";
import { slicer } from "./slicer.ts";
import { slowClose } from "./slow_close.ts";
import type { Stage } from "./stage.ts";
import { stall, stallAfter } from "./stall.ts";

/** What is said once of an option. */
export interface FaultOption {
  /** Its range. `DELAY` is a time in milliseconds. */
  range: Range;
  /** What it does, for the help text. */
  help: string;
  /** Injects the fault. Without a stage, it is one of the whole connection. */
  stage?: Stage;
}

/** The options, in the order in which a chunk passes their stages. */
export const FAULTS: { readonly [Name in keyof Faults]-?: FaultOption } = {
  latency: { range: DELAY, help: "delay each chunk", stage: latency },
  jitter: {
    range: DELAY,
    help: "vary the latency up and down by this much",
    stage: latency,
  },
  corrupt: {
    range: FRACTION,
    help: "change each byte with this probability",
    stage: corrupt,
  },
  reset: {
    range: NON_NEGATIVE_INTEGER,
    help: "reset the connection after this many bytes",
    stage: reset,
  },
  limitData: {
    range: NON_NEGATIVE_INTEGER,
    help: "close the connection after this many bytes",
    stage: limitData,
  },
  stall: {
    range: NON_NEGATIVE_INTEGER,
    help: "send nothing more after this many bytes",
    stage: stall,
  },
  slicer: {
    range: POSITIVE_INTEGER,
    help: "send slices of at most this size",
    stage: slicer,
  },
  slicerDelay: { range: DELAY, help: "pause between slices", stage: slicer },
  slicerVariation: {
    range: NON_NEGATIVE_INTEGER,
    help: "vary the slices up and down by this much",
    stage: slicer,
  },
  bandwidth: {
    range: POSITIVE_INTEGER,
    help: "limit the bytes per second of each connection",
    stage: bandwidth,
  },
  slowClose: {
    range: DELAY,
    help: "pass the end of input on later",
    stage: slowClose,
  },
  closeAfter: {
    range: DELAY,
    help: "close the connection after this time",
    stage: closeAfter,
  },
  stallAfter: {
    range: DELAY,
    help: "send nothing more after this time",
    stage: stallAfter,
  },
  resetAfter: {
    range: DELAY,
    help: "reset the connection after this time",
    stage: resetAfter,
  },
  connectDelay: {
    range: DELAY,
    help: "let the first byte flow after this time",
  },
  closeOnAccept: { range: BOOLEAN, help: "close each connection at once" },
  down: {
    range: BOOLEAN,
    help: "close each connection, and those that are open",
  },
  refuse: { range: BOOLEAN, help: "close the port: clients are refused" },
  toxicity: { range: FRACTION, help: "share of connections with faults" },
  seed: {
    range: NON_NEGATIVE_INTEGER,
    help: "repeat all random choices: same seed, same bytes",
  },
};

/** The stages of faults, in order. */
export function stagesOf(faults: Faults): Set<Stage> {
  const stages = new Set<Stage>();
  for (const [name, { stage }] of Object.entries(FAULTS)) {
    if (stage && faults[name as keyof Faults] !== undefined) stages.add(stage);
  }
  return stages;
}

/**
 * Checks the options of faults.
 *
 * @throws {RangeError} that names the option whose value is out of range.
 * @throws {TypeError} that names an unknown option, or one that another one needs.
 */
export function checkFaults(faults: Faults): void {
  const action = "Cannot inject faults";
  for (const [name, value] of Object.entries(faults)) {
    if (!Object.hasOwn(FAULTS, name)) {
      throw new TypeError(
        `${action} with unknown option ${name}: expected one of ${
          Object.keys(FAULTS).join(", ")
        }`,
      );
    }
    const { range } = FAULTS[name as keyof Faults];
    checkRange(range, { action, options: { [name]: value } });
  }
  for (const name of ["slicerDelay", "slicerVariation"] as const) {
    if (faults[name] === undefined || faults.slicer !== undefined) continue;
    throw new TypeError(`${action} with ${name}: it needs slicer`);
  }
}
