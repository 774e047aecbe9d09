/**
 * Toxics, which is what toxiproxy calls faults: their types, attributes and units,
 * and the faults that they stand for.
 *
 * ```ts
 * import { faultsOf, parseToxic } from "./toxics.ts";
 *
 * const toxic = parseToxic({ type: "bandwidth", attributes: { rate: 10 } });
 * faultsOf(toxic); // { bandwidth: 10_000 }
 * ```
 *
 * @module
 */

import { checkFaults, FAULTS } from "../faults/table.ts";
import type { Direction, Faults } from "../net/fault_options.ts";
import {
  BOOLEAN,
  DELAY,
  FRACTION,
  NON_NEGATIVE_INTEGER,
  type Range,
} from "../net/validate.ts";
import { ApiError, badRequest, type Json, objectAt, read } from "./json.ts";

/** The numbers that a toxic takes. */
export type Attributes = Readonly<Record<string, number>>;

/** A toxic of a proxy. */
export interface Toxic {
  /** All attributes of its type. */
  readonly attributes: Attributes;
  /**
   * Its name on its proxy.
   * @default `<type>_<stream>`
   */
  readonly name: string;
  /** Toxiproxy's types, and each fault in snake case: `corrupt`, `close_after`. */
  readonly type: string;
  /**
   * Whose bytes it is in.
   * @default {"downstream"}
   */
  readonly stream: Direction;
  /**
   * The share of connections that it is in, from 0 to 1.
   * @default {1}
   */
  readonly toxicity: number;
}

interface ToxicType {
  /** The names of its attributes, which are 0 by default. */
  readonly attributes: readonly string[];
  /** The faults that it stands for. */
  faults(attributes: Attributes): Faults;
}

/**
 * Toxiproxy's types whose attributes are not those of one fault. Where it says one
 * thing in its README and does another, this is what it does.
 */
const TYPES: Record<string, ToxicType> = {
  noop: { attributes: [], faults: () => ({}) },
  latency: {
    attributes: ["latency", "jitter"],
    faults: ({ latency, jitter }) => ({ latency, jitter }),
  },
  // In kB/s. Without any, nothing flows.
  bandwidth: {
    attributes: ["rate"],
    faults: ({ rate = 0 }) =>
      rate === 0 ? { stall: 0 } : { bandwidth: 1_000 * rate },
  },
  // Nothing flows, and with 0 the connection stays open.
  timeout: {
    attributes: ["timeout"],
    faults: ({ timeout = 0 }) => ({
      stall: 0,
      ...(timeout === 0 ? {} : { closeAfter: timeout }),
    }),
  },
  // Nothing flows. With 0, the first byte resets the connection.
  reset_peer: {
    attributes: ["timeout"],
    faults: ({ timeout = 0 }) =>
      timeout === 0 ? { reset: 0 } : { stall: 0, resetAfter: timeout },
  },
  // Its delay is in microseconds. Without a size, nothing is sliced.
  slicer: {
    attributes: ["average_size", "size_variation", "delay"],
    faults: ({ average_size: slicer, size_variation, delay = 0 }) =>
      slicer === 0 ? {} : {
        slicer,
        slicerVariation: size_variation,
        slicerDelay: delay / 1_000,
      },
  },
};

/** The attribute of a fault with one number, by the range of the number. */
const ATTRIBUTES = new Map<Range, string[]>([
  [DELAY, ["delay"]],
  [NON_NEGATIVE_INTEGER, ["bytes"]],
  [FRACTION, ["probability"]],
  [BOOLEAN, []],
]);

/** Options that only adjust faults. */
const ADJUST = /^(jitter|slicer.+|toxicity|seed)$/;

// `limit_data` and `slow_close` are among them, with toxiproxy's own attributes.
for (const [name, { range }] of Object.entries(FAULTS)) {
  const type = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const attributes = ATTRIBUTES.get(range);
  if (TYPES[type] || ADJUST.test(name) || !attributes) continue;
  const [attribute] = attributes;
  TYPES[type] = {
    attributes,
    faults: (values) => ({ [name]: attribute ? values[attribute] : true }),
  };
}

/** The faults that a toxic stands for. */
export function faultsOf({ type, attributes }: Toxic): Faults {
  return TYPES[type]!.faults(attributes);
}

/**
 * Reads a toxic from JSON. Attributes that the type does not have are refused.
 *
 * @throws {ApiError} that names what is wrong, with its path behind `path`.
 */
export function parseToxic(json: Json, path = ""): Toxic {
  const input = objectAt(json, path);
  const type = read(input, "type", "", path);
  const stream = read(input, "stream", "downstream", path).toLowerCase();
  if (stream !== "downstream" && stream !== "upstream") {
    throw new ApiError(
      400,
      "stream was invalid, can be either upstream or downstream",
    );
  }
  if (!Object.hasOwn(TYPES, type)) {
    throw new ApiError(400, "invalid toxic type", {
      types: Object.keys(TYPES),
    });
  }
  const name = read(input, "name", "", path) || `${type}_${stream}`;
  const none = TYPES[type]!.attributes.map((attribute) => [attribute, 0]);
  const attributes = Object.fromEntries(none);
  return changed({ attributes, name, type, stream, toxicity: 1 }, input, path);
}

/**
 * A toxic with the attributes and the toxicity that JSON has, and its others.
 *
 * @throws {ApiError} that names what is wrong, with its path behind `path`.
 */
export function changed(toxic: Toxic, json: Json, path = ""): Toxic {
  const input = objectAt(json, path);
  const toxicity = read(input, "toxicity", toxic.toxicity, path);
  const attributes: Record<string, number> = { ...toxic.attributes };
  const values = objectAt(input.attributes ?? {}, `${path}.attributes`);
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(attributes, name)) {
      const known = Object.keys(attributes).join(", ") || "none";
      throw badRequest(`${path}.attributes.${name}`, `expected ${known}`);
    }
    if (typeof value !== "number" || value < 0) {
      throw badRequest(`${path}.attributes.${name}`, "expected 0 or more");
    }
    attributes[name] = value;
  }
  const result = { ...toxic, attributes, toxicity };
  try {
    checkFaults({ ...faultsOf(result), toxicity });
  } catch (error) {
    throw badRequest(path, (error as Error).message);
  }
  return result;
}
