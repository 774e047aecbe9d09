/**
 * The faults of a server and their changes: which are in force now, and which of them
 * a connection gets.
 *
 * @module
 */

import type {
  Direction,
  FaultEntry,
  Faults,
  FaultSetting,
} from "../net/fault_options.ts";
import { DEFAULT_MAX_HELD_BYTES } from "../net/defaults.ts";
import { prng } from "./prng.ts";
import type { Stage } from "./stage.ts";
import { checkFaults, stagesOf } from "./table.ts";

/** An entry of a setting, as a link of a connection gets it. */
export interface LinkFaults {
  readonly faults: Faults;
  /** The stages that inject them. */
  readonly stages: ReadonlySet<Stage>;
  /** A random number generator that repeats with the seed, one per purpose. */
  random(purpose: number): () => number;
}

/** What one connection gets. */
export interface ConnFaults extends Record<Direction, readonly LinkFaults[]> {
  /** The fault that closes it before a byte flows. */
  readonly refusal: "down" | "closeOnAccept" | undefined;
  /** Milliseconds after the accept before the first byte flows. */
  readonly connectDelay: number;
}

/** What a connection gets without faults. */
const NONE: ConnFaults = {
  downstream: [],
  upstream: [],
  refusal: undefined,
  connectDelay: 0,
};

const DIRECTIONS = ["downstream", "upstream"] as const;

/** The entries of a setting. Both directions of a `DirectedFaults` share a number. */
function entriesOf(setting: FaultSetting): [FaultEntry, number: number][] {
  if (typeof setting !== "object" || setting === null) {
    throw new TypeError(
      `Cannot inject faults ${Deno.inspect(setting)}: expected options`,
    );
  }
  if (Array.isArray(setting)) return setting.map((entry, at) => [entry, at]);
  if (!("downstream" in setting || "upstream" in setting)) {
    return Object.keys(setting).length > 0 ? [[setting as Faults, 0]] : [];
  }
  const { downstream, upstream, ...unknown } = setting;
  checkFaults(unknown);
  const entries: [FaultEntry, number][] = [];
  if (downstream) entries.push([downstream, 0]);
  if (upstream) entries.push([{ ...upstream, direction: "upstream" }, 0]);
  return entries;
}

/** One setting of faults. */
export class Setting {
  /** Whether the port is closed. */
  readonly refuses: boolean;
  readonly #entries: [FaultEntry, number: number][];
  readonly #seed: number;

  /** @throws {RangeError | TypeError} that names the option that is wrong. */
  constructor(setting: FaultSetting = {}) {
    this.#entries = entriesOf(setting);
    for (const [{ direction = "both", ...faults }] of this.#entries) {
      checkFaults(faults);
      if ([...DIRECTIONS, "both"].includes(direction)) continue;
      throw new TypeError(
        `Cannot inject faults with direction ${
          Deno.inspect(direction)
        }: expected "downstream", "upstream" or "both"`,
      );
    }
    this.refuses = this.#entries.some(([{ refuse }]) => refuse);
    const seeded = this.#entries.find(([{ seed }]) => seed !== undefined);
    this.#seed = seeded?.[0].seed ??
      Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  }

  /** What connection `id` gets. One draw for each entry decides (`toxicity`). */
  of(id: number): ConnFaults {
    if (this.#entries.length === 0) return NONE;
    const chosen: Record<Direction, LinkFaults[]> = {
      downstream: [],
      upstream: [],
    };
    let refusal: ConnFaults["refusal"];
    let connectDelay = 0;
    for (const [faults, number] of this.#entries) {
      const stages = stagesOf(faults);
      const { seed = this.#seed, toxicity = 1 } = faults;
      if (prng(seed, id, number)() >= toxicity) continue;
      const { direction = "downstream" } = faults;
      for (const [at, one] of DIRECTIONS.entries()) {
        if (stages.size === 0 || direction !== one && direction !== "both") {
          continue;
        }
        // No two entries or directions make the same choices.
        const random = (purpose: number) => prng(seed, id, number, at, purpose);
        chosen[one].push({ faults, stages, random });
      }
      if (faults.closeOnAccept) refusal ??= "closeOnAccept";
      if (faults.down) refusal = "down";
      connectDelay += faults.connectDelay ?? 0;
    }
    return { ...chosen, refusal, connectDelay };
  }
}

/** Bytes that the faults of a server hold for all its connections, and their limit. */
export class HeldBytes {
  readonly #limit: number;
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  /** Holds nothing yet. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#held;
  }

  /** Whether no more may be held. */
  get full(): boolean {
    return this.#held >= this.#limit;
  }

  /** Adds to what is held, or with a negative number takes from it. */
  add(bytes: number): void {
    this.#held += bytes;
    this.wake();
  }

  /** Resolves when there may be room. Call `wake` after using it, or not using it. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Wakes who waits longest, if there is room. */
  wake(): void {
    if (!this.full) this.#waiting.shift()?.();
  }
}

/** The faults of a server. */
export class FaultControl {
  /** Bytes that the faults of all connections hold. */
  readonly held: HeldBytes;
  /** The settings; each scope adds one. The last one is in force. */
  readonly #settings: { value: Setting }[];
  #used: boolean;

  /** @throws {RangeError | TypeError} that names the option that is wrong. */
  constructor(
    faults: FaultSetting | undefined,
    maxHeldBytes: number = DEFAULT_MAX_HELD_BYTES,
  ) {
    this.held = new HeldBytes(maxHeldBytes);
    this.#settings = [{ value: new Setting(faults) }];
    this.#used = faults !== undefined;
  }

  /** Whether there are faults, or were any. */
  get used(): boolean {
    return this.#used;
  }

  /** The setting in force. */
  get inForce(): Setting {
    return this.#settings.at(-1)!.value;
  }

  /** Replaces the setting in force. In a scope of `inject`, until the scope ends. */
  set(faults: FaultSetting | undefined): void {
    this.#settings.at(-1)!.value = new Setting(faults);
    this.#used = true;
  }

  /**
   * Replaces the setting in force until the result is disposed. Scopes may end in any
   * order: the last one that has not ended is in force. `onChange` is called when the
   * end of the scope changes the setting in force.
   */
  inject(faults: FaultSetting, onChange: () => void): Disposable {
    const setting = { value: new Setting(faults) };
    this.#settings.push(setting);
    this.#used = true;
    return {
      [Symbol.dispose]: () => {
        const at = this.#settings.indexOf(setting);
        if (at < 0) return;
        const inForce = at === this.#settings.length - 1;
        this.#settings.splice(at, 1);
        if (inForce) onChange();
      },
    };
  }

  /** Ends all faults for good. */
  lift(): void {
    this.#settings.splice(0, Infinity, { value: new Setting() });
  }
}
