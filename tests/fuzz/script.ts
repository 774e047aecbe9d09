/**
 * Random scripts: a server, its faults and their changes, and what each client
 * does. A script follows from a seed and its number alone.
 *
 * @module
 */

import { prng } from "../../lib/faults/prng.ts";

/**
 * What a fault does, as far as a peer can see: all bytes arrive within `SLOWEST_MS`;
 * bytes are held back for longer, or for ever; the connection ends early; bytes are
 * changed; what happens depends on the time.
 */
export type Effect = "delays" | "holds" | "cuts" | "alters" | "timed";

/** The faults. A new one needs its row here, and nothing else. */
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
  // Whether data is unread by then decides between a FIN and a reset.
  [{ closeOnAccept: true }, "cuts", "timed"],
  [{ down: true }, "cuts", "timed"],
  // Which connections have the faults depends on the order of the accepts.
  [{ latency: 2, toxicity: 0.5 }, "delays", "timed"],
  [{ limitData: 2_000, toxicity: 0.5 }, "cuts", "timed"],
  [{ slowClose: 50 }, "delays"],
  [{ slowClose: 60_000 }, "holds"],
  [{ connectDelay: 50 }, "delays"],
  [{ refuse: true }, "cuts"],
];

/** Rows that only delay: half of the choices, so that many scripts lose nothing. */
const DELAYS = FAULTS.filter(([, effect]) => effect === "delays");

/** Bytes of the longest reply of an upstream. */
export const MAX_REPLY_BYTES = 20_000;
/** Milliseconds after which all bytes have arrived if faults only delay them. */
const SLOWEST_MS = 500;
/** Milliseconds that a client waits for an end that may be withheld, or is due. */
const PATIENCE_MS = { impatient: 800, patient: 10_000 };

/** Faults as a server takes them. */
export type Faults = Record<string, number | boolean>;

/** Some faults of a setting. */
export interface Entry {
  faults: Faults;
  direction: "downstream" | "upstream" | "both";
  effects: readonly Effect[];
}

/** A change of faults, `at` milliseconds after the start. */
export interface Change {
  at: number;
  faults: Entry[];
  /** For how many milliseconds; for good if it is missing. */
  lasts?: number | undefined;
}

/**
 * What a client does next. The last step ends its connection. `deafen` stops its
 * reads, and `readToEnd` waits for the end of the stream, at most for `ms`.
 */
export type Step =
  | { do: "write"; bytes: number }
  | { do: "pause" | "deafen" | "readToEnd"; ms: number }
  | { do: "halfClose" | "close" | "reset" };

/** What the proxy forwards to. */
export interface Upstream {
  /**
   * `echo` sends back what it gets. `late` replies at the end of input, `early` to
   * the first byte, and reads no more. `flood` never stops to send, and `silent`
   * only reads.
   */
  does: "echo" | "late" | "early" | "flood" | "silent";
  /** Bytes of a reply. */
  reply: number;
  /** What follows a reply. `truncate` omits the end of the TLS session. */
  ends: "close" | "reset" | "truncate";
  tls: boolean;
}

/** All that happens to one server. */
export interface Script {
  tls: boolean;
  /** Missing for an echo server. */
  upstream?: Upstream | undefined;
  /** The faults at the start. */
  faults: Entry[];
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

/** Returns script `number` of a seed. */
export function generate(seed: number, number: number): Script {
  const next = prng(seed, number);
  const below = (n: number) => Math.floor(next() * n);
  const chance = (probability: number) => next() < probability;
  const pick = <T>(...values: T[]): T => values[below(values.length)]!;
  const list = <T>(length: number, make: () => T) =>
    Array.from({ length }, make);
  const proxied = chance(0.6);

  function someUpstream(): Upstream {
    return {
      does: pick("echo", "echo", "late", "early", "early", "silent", "flood"),
      reply: pick(1, 1_000, MAX_REPLY_BYTES),
      ends: pick("close", "reset", "truncate"),
      tls: chance(0.3),
    };
  }

  function someFaults(): Entry[] {
    return list(pick(0, 1, 1, 2, 3), () => {
      const [faults, ...effects] = pick(...(chance(0.5) ? DELAYS : FAULTS));
      const direction = pick("downstream", "upstream", "both");
      return { faults, effects, direction: proxied ? direction : "both" };
    });
  }

  function someClient(ms: number): Step[] {
    const steps = list(pick(0, 1, 1, 2, 5), (): Step => {
      const what = pick("write", "write", "write", "pause", "deafen");
      if (what !== "write") return { do: what, ms: below(50) };
      return { do: "write", bytes: pick(1, 100, 1_000, 10_000, 30_000) };
    });
    const last = pick("readToEnd", "readToEnd", "close", "reset");
    if (last !== "readToEnd") return [...steps, { do: last }];
    return [...steps, { do: "halfClose" }, { do: "readToEnd", ms }];
  }

  const script: Script = {
    tls: chance(0.3),
    upstream: proxied ? someUpstream() : undefined,
    faults: someFaults(),
    changes: list(pick(0, 0, 0, 1, 2, 6), () => ({
      at: below(150),
      lasts: chance(0.3) ? below(100) : undefined,
      faults: someFaults(),
    })),
    clients: [],
    stop: { how: "shutdown", grace: pick(0, 100, 500) },
  };
  if (chance(0.25)) {
    script.stop.how = pick("shutdown", "abort");
    if (chance(0.3)) script.stop.onOpen = 1 + below(3);
    else script.stop.at = below(150);
  }
  const { onlyDelays, endless } = prospects(script);
  const { patient, impatient } = PATIENCE_MS;
  const patience = onlyDelays && !endless ? patient : impatient;
  script.clients = list(pick(1, 2, 4, 8, 16), () => someClient(patience));
  return script;
}

/** What must come true of a script. */
export interface Prospects {
  /** All that is due arrives: faults only delay, and the server waits. */
  onlyDelays: boolean;
  /** Bytes arrive unchanged. */
  unaltered: boolean;
  /** The upstream never ends by itself. */
  endless: boolean;
  /** More latency changes neither bytes nor ends. */
  repeatable: boolean;
  /**
   * Milliseconds in which an upstream learns that a client has left. Missing if a
   * fault holds the news back.
   */
  leave?: number;
}

/** Derives what must come true. */
export function prospects(script: Script): Prospects {
  const { changes, stop, upstream } = script;
  const entries = [script, ...changes].flatMap(({ faults }) => faults);
  const has = (effect: Effect, of = entries) =>
    of.some(({ effects }) => effects.includes(effect));
  const untilLast = stop.at === undefined && stop.onOpen === undefined;
  const endless = upstream?.does === "flood";
  // A flood that is held back does not find out that its client has left.
  const news = entries.filter(({ direction }) =>
    endless || direction !== "downstream"
  );
  // A cut of what the upstream gets races with its replies to what it got before.
  const racing = upstream !== undefined &&
    has("cuts", entries.filter(({ direction }) => direction !== "downstream"));
  const leave = has("delays") ? 1_000 + SLOWEST_MS : 1_000;
  return {
    onlyDelays: untilLast && !has("holds") && !has("cuts"),
    unaltered: !has("alters"),
    endless,
    repeatable: untilLast && changes.length === 0 && !has("timed") &&
      !endless && !racing,
    ...(has("holds", news) ? {} : { leave }),
  };
}

/** The same script with latency in both directions. */
export function withLatency(script: Script, latency: number): Script {
  const { faults, clients } = script;
  const entry: Entry = {
    faults: { latency },
    direction: "both",
    effects: ["delays"],
  };
  return {
    ...script,
    faults: [entry, ...faults],
    // The patience of clients grows with what a round trip takes.
    clients: clients.map((steps) =>
      steps.map((step) =>
        step.do === "readToEnd" ? { ...step, ms: step.ms + 4 * latency } : step
      )
    ),
  };
}

/** Faults as `setFaults()` of an echo server or a proxy takes them. */
export function toFaults(entries: Entry[], proxied: boolean): unknown {
  return entries.map(({ faults, direction }) =>
    proxied ? { ...faults, direction } : faults
  );
}
