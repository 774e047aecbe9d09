/**
 * The flags of the server's faults, and the options that they ask for.
 *
 * ```sh
 * deno task server --latency 100ms --jitter 20ms
 * ```
 *
 * @module
 */

import type { DirectedFaults, Faults } from "../net/fault_options.ts";
import { duration, fraction, integer, oneOf } from "./flag_types.ts";
import { booleanFlag, flag, UsageError, type Values } from "./flags.ts";

/** The values of `--fault-direction`. */
const DIRECTIONS = ["downstream", "upstream", "both"] as const;

/** The flags. */
export const faultFlags = {
  latency: flag(duration, "delay each chunk"),
  jitter: flag(duration, "vary the latency up and down by this much"),
  bandwidth: flag(
    integer("BYTES", 1),
    "limit the bytes per second of each connection",
  ),
  slicer: flag(integer("BYTES", 1), "send slices of at most this size"),
  "slicer-delay": flag(duration, "pause between slices"),
  "limit-data": flag(
    integer("BYTES", 0),
    "close the connection after this many bytes",
  ),
  stall: flag(integer("BYTES", 0), "send nothing more after this many bytes"),
  reset: flag(
    integer("BYTES", 0),
    "reset the connection after this many bytes",
  ),
  corrupt: flag(fraction, "change each byte with this probability"),
  "close-after": flag(duration, "close the connection after this time"),
  "stall-after": flag(duration, "send nothing more after this time"),
  "reset-after": flag(duration, "reset the connection after this time"),
  "close-on-accept": booleanFlag("close each connection at once"),
  down: booleanFlag("the same as --close-on-accept"),
  toxicity: flag(
    fraction,
    "share of connections with faults",
    1,
  ),
  seed: flag(
    integer("N", 0),
    "repeat all random choices: same seed, same bytes",
  ),
  "fault-direction": flag(
    oneOf("DIR", DIRECTIONS),
    "with an upstream: whose bytes the faults are in; downstream is the client",
    "downstream",
  ),
};

/** The faults that flags ask for, if any. @throws {UsageError} */
export function faultOptions(
  values: Values<typeof faultFlags>,
): Faults | undefined {
  const { latency, jitter, bandwidth, slicer, stall, reset } = values;
  const { corrupt, toxicity, seed } = values;
  const faults: Faults = {
    latency,
    jitter,
    bandwidth,
    slicer,
    slicerDelay: values["slicer-delay"],
    limitData: values["limit-data"],
    stall,
    reset,
    corrupt,
    closeAfter: values["close-after"],
    stallAfter: values["stall-after"],
    resetAfter: values["reset-after"],
    closeOnAccept: values["close-on-accept"] || undefined,
    down: values.down || undefined,
  };
  const any = Object.values(faults).some((value) => value !== undefined);
  if (!any && (toxicity !== undefined || seed !== undefined)) {
    throw new UsageError("--toxicity and --seed need a fault");
  }
  if (!any && values["fault-direction"] !== undefined) {
    throw new UsageError("--fault-direction needs a fault");
  }
  if (faults.slicerDelay !== undefined && slicer === undefined) {
    throw new UsageError("--slicer-delay needs --slicer");
  }
  return any ? { ...faults, toxicity, seed } : undefined;
}

/** The faults by direction, as `--fault-direction` says. */
export function directedFaults(
  values: Values<typeof faultFlags>,
  faults: Faults | undefined,
): DirectedFaults {
  const direction = values["fault-direction"] ?? "downstream";
  return direction === "both"
    ? { downstream: faults, upstream: faults }
    : { [direction]: faults };
}
