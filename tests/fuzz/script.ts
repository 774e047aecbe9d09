/**
 * Random scripts of the fuzz: a server, its faults and their changes, and what each
 * client does. A script follows from a seed and its number alone.
 *
 * ```ts
 * import { generate } from "./script.ts";
 *
 * generate(7, 12); // the same script, always
 * ```
 *
 * @module
 */

import { prng } from "../../lib/faults/prng.ts";

/**
 * Whether the server takes lists of entries with a direction, and the faults
 * `slowClose`, `refuse` and `connectDelay`.
 */
const TAKES_ENTRIES = false;

/** What a fault does to a connection, as far as a peer can see it. */
export type Effect =
  /** All bytes arrive, within `SLOWEST_MS`. */
  | "delays"
  /** Bytes are held back for longer, or for ever. */
  | "holds"
  /** The connection ends early. */
  | "cuts"
  /** Bytes are changed. */
  | "alters"
  /** What happens depends on the time. */
  | "timed";

/** Faults as a server takes them. */
export type Faults = Record<string, number | boolean | string>;

/** The faults of the fuzz, and all their effects. To add a fault, add a row. */
const FAULTS: readonly (readonly [Faults, ...Effect[]])[] = [
  [{ latency: 2 }, "delays"],
  [{ latency: 40, jitter: 30 }, "delays"],
  [{ latency: 60_000 }, "holds"],
  [{ bandwidth: 2_000_000 }, "delays"],
  [{ bandwidth: 5_000 }, "holds", "timed"],
  [{ slicer: 3_000 }, "delays"],
  [{ slicer: 5_000, slicerDelay: 2 }, "delays"],
  [{ stall: 0 }, "holds"],
  [{ stall: 3_000 }, "holds"],
  [{ stallAfter: 60 }, "holds", "timed"],
  [{ limitData: 0 }, "cuts"],
  [{ limitData: 2_000 }, "cuts"],
  [{ closeAfter: 60 }, "cuts", "timed"],
  [{ reset: 0 }, "cuts"],
  [{ reset: 1 }, "cuts"],
  [{ reset: 2_000 }, "cuts"],
  [{ resetAfter: 60 }, "cuts", "timed"],
  [{ corrupt: 0.01 }, "alters"],
  [{ closeOnAccept: true }, "cuts"],
  [{ down: true }, "cuts"],
];

/** The same, for a server that takes them. */
const MORE_FAULTS: typeof FAULTS = [
  [{ slowClose: 50 }, "delays"],
  [{ slowClose: 60_000 }, "holds"],
  [{ connectDelay: 50 }, "delays"],
  [{ refuse: true }, "cuts"],
];

/** Milliseconds after which all bytes have arrived if faults only delay them. */
export const SLOWEST_MS = 500;

/** A setting of faults, as `setFaults()` takes it, and its effects. */
export interface Setting {
  faults:
    | { downstream?: Faults; upstream?: Faults }
    | Faults
    | Faults[]
    | undefined;
  effects: Effect[];
}

/** A change of faults, `at` milliseconds after the start. */
export interface Change extends Setting {
  at: number;
  /** Milliseconds after which the faults from before are back. */
  until?: number | undefined;
}

/** What a client does next. The last step ends its connection. */
export type Step =
  | { do: "write"; bytes: number }
  | { do: "pause"; ms: number }
  /** Stops to read for a while. */
  | { do: "deafen"; ms: number }
  | { do: "halfClose" }
  /** Reads to the end of the stream, at most for `patience` milliseconds. */
  | { do: "readToEnd"; patience: number }
  | { do: "close" }
  | { do: "reset" };

/** What the proxy forwards to. */
export interface Upstream {
  /**
   * `echo` sends back what it gets. `late` replies at the end of input, `early` to
   * the first byte, and reads no more.
   * `flood` never stops to send, and `silent` only reads.
   */
  does: "echo" | "late" | "early" | "flood" | "silent";
  /** Bytes of a reply. */
  reply: number;
  /** How it ends: `truncate` omits the end of the TLS session. */
  ends: "close" | "reset" | "truncate";
  tls: boolean;
}

/** All that happens to one server. */
export interface Script {
  tls: boolean;
  /** Missing for an echo server. */
  upstream?: Upstream | undefined;
  start: Setting;
  changes: Change[];
  clients: Step[][];
  stop: {
    how: "shutdown" | "abort";
    /** Milliseconds after the start. Missing: when the last client has left. */
    at?: number | undefined;
    /** Instead: in the `onOpen` of this connection. */
    onOpen?: number | undefined;
    grace: number;
  };
}

/** Milliseconds that a client waits for an end that a fault may withhold. */
const IMPATIENT_MS = 400;
/** Milliseconds that a client waits for an end that is due. */
const PATIENT_MS = 10_000;

/** Random choices. */
class Dice {
  readonly #next: () => number;
  constructor(seed: number, script: number) {
    this.#next = prng(seed, script);
  }
  below = (n: number) => Math.floor(this.#next() * n);
  chance = (probability: number) => this.#next() < probability;
  pick = <T>(values: readonly T[]): T => values[this.below(values.length)]!;
  list = <T>(count: number, make: () => T) =>
    Array.from({ length: count }, make);
}

/** Returns script number `number` of a seed. */
export function generate(seed: number, number: number): Script {
  const dice = new Dice(seed, number);
  const proxied = dice.chance(0.6);
  const script: Script = {
    tls: dice.chance(0.3),
    upstream: proxied ? someUpstream(dice) : undefined,
    start: someSetting(dice, proxied),
    changes: dice.list(dice.pick([0, 0, 0, 1, 2, 6]), () => ({
      at: dice.below(150),
      until: dice.chance(0.3) ? dice.below(100) : undefined,
      ...someSetting(dice, proxied),
    })),
    clients: [],
    stop: { how: "shutdown", grace: dice.pick([0, 100, 500]) },
  };
  if (dice.chance(0.25)) {
    script.stop.how = dice.pick(["shutdown", "abort"]);
    if (dice.chance(0.3)) script.stop.onOpen = 1 + dice.below(3);
    else script.stop.at = dice.below(150);
  }
  const { onlyDelays, endless } = prospects(script);
  const patience = onlyDelays && !endless ? PATIENT_MS : IMPATIENT_MS;
  const count = dice.pick([1, 2, 4, 8, 16]);
  script.clients = dice.list(count, () => someClient(dice, patience));
  return script;
}

function someUpstream(dice: Dice): Upstream {
  const tls = dice.chance(0.3);
  return {
    does: dice.pick(
      ["echo", "echo", "echo", "late", "early", "early", "silent", "flood"],
    ),
    reply: dice.pick([0, 1, 1_000, 20_000]),
    ends: dice.pick(["close", "reset", tls ? "truncate" : "close"]),
    tls,
  };
}

function someSetting(dice: Dice, proxied: boolean): Setting {
  if (dice.chance(0.3)) return { faults: undefined, effects: [] };
  const effects = new Set<Effect>();
  const some = (): Faults => {
    const faults: Faults = {};
    for (let rows = dice.pick([1, 1, 2, 3]); rows > 0; rows--) {
      const table = TAKES_ENTRIES ? [...FAULTS, ...MORE_FAULTS] : FAULTS;
      // Half of the settings only delay, so that more than half a script is calm.
      const harmless = table.filter(([, effect]) => effect === "delays");
      const row = dice.pick(dice.chance(0.5) ? harmless : table);
      const [fault, ...does] = row;
      Object.assign(faults, fault);
      for (const effect of does) effects.add(effect);
    }
    if (dice.chance(0.1)) {
      faults.toxicity = 0.5;
      // Which connections have the faults depends on the order of the accepts.
      effects.add("timed");
    }
    if (dice.chance(0.3)) faults.seed = dice.below(1_000);
    return faults;
  };
  const direction = () => dice.pick(["downstream", "upstream", "both"]);
  let faults: Setting["faults"];
  if (TAKES_ENTRIES && dice.chance(0.3)) {
    faults = dice.list(1 + dice.below(3), () => ({
      ...some(),
      ...(proxied ? { direction: direction() } : {}),
    }));
  } else if (!proxied || dice.chance(0.3)) faults = some();
  else {
    const where = direction();
    faults = {
      ...(where === "upstream" ? {} : { downstream: some() }),
      ...(where === "downstream" ? {} : { upstream: some() }),
    };
  }
  return { faults, effects: [...effects] };
}

function someClient(dice: Dice, patience: number): Step[] {
  const steps = dice.list(dice.pick([0, 1, 1, 2, 5]), (): Step => {
    const bytes = dice.pick([1, 100, 1_000, 10_000, 30_000]);
    if (dice.chance(0.6)) return { do: "write", bytes };
    const ms = dice.below(50);
    return { do: dice.chance(0.7) ? "pause" : "deafen", ms };
  });
  const last = dice.pick(["readToEnd", "readToEnd", "close", "reset"]);
  if (last !== "readToEnd") return [...steps, { do: last as "close" }];
  return [...steps, { do: "halfClose" }, { do: "readToEnd", patience }];
}

/** What must come true of a script. */
export interface Prospects {
  /** Every byte that is due arrives, since faults only delay. */
  onlyDelays: boolean;
  /** Bytes arrive unchanged. */
  unaltered: boolean;
  /** The upstream never ends by itself. */
  endless: boolean;
  /** More latency changes neither bytes nor ends. */
  repeatable: boolean;
  /** Milliseconds in which an upstream learns that a client has left. */
  leave: number;
}

/** Derives what must come true. */
export function prospects(script: Script): Prospects {
  const { start, changes, stop, upstream } = script;
  const effects = [start, ...changes].flatMap(({ effects }) => effects);
  const has = (effect: Effect) => effects.includes(effect);
  const untilLast = stop.at === undefined && stop.onOpen === undefined;
  return {
    onlyDelays: untilLast && !has("holds") && !has("cuts"),
    unaltered: !has("alters"),
    endless: upstream?.does === "flood",
    repeatable: untilLast && changes.length === 0 && !has("timed") &&
      upstream?.does !== "flood",
    // What a fault holds back ends within 5 s, once both peers are done.
    leave: has("holds") ? 6_000 : has("delays") ? 1_000 + SLOWEST_MS : 1_000,
  };
}

/** The same script with latency in both directions. */
export function withLatency(script: Script, ms: number): Script {
  const slower = (faults: Faults = {}): Faults => ({
    ...faults,
    latency: Number(faults.latency ?? 0) + ms,
  });
  const { faults = {} } = script.start;
  let more: Setting["faults"];
  if (Array.isArray(faults)) {
    more = [...faults, {
      latency: ms,
      ...(script.upstream ? { direction: "both" } : {}),
    }];
  } else if (!script.upstream) more = slower(faults as Faults);
  else {
    const { downstream, upstream } =
      "downstream" in faults || "upstream" in faults
        ? faults as Record<string, Faults>
        : { downstream: faults as Faults, upstream: undefined };
    more = { downstream: slower(downstream), upstream: slower(upstream) };
  }
  const clients = script.clients.map((steps) =>
    steps.map((step) =>
      step.do === "readToEnd"
        ? { ...step, patience: step.patience + 4 * ms }
        : step
    )
  );
  return { ...script, start: { ...script.start, faults: more }, clients };
}
