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
import { HeldBytes } from "./held_bytes.ts";
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

/** The purpose of the number that decides whether a connection has faults. */
const TOXICITY = 0;

/**
 * Added to the purposes of the upstream direction, and for each entry of a list, so
 * that no two of them make the same choices. It is more than there are purposes.
 */
const UPSTREAM = 1_000, NEXT_ENTRY = 2_000;

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
      if (["downstream", "upstream", "both"].includes(direction)) continue;
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
      const random = (purpose: number) =>
        prng(seed, id, purpose + number * NEXT_ENTRY);
      if (random(TOXICITY)() >= toxicity) continue;
      const { direction = "downstream" } = faults;
      if (direction !== "upstream" && stages.size > 0) {
        chosen.downstream.push({ faults, stages, random });
      }
      if (direction !== "downstream" && stages.size > 0) {
        const other = (purpose: number) => random(purpose + UPSTREAM);
        chosen.upstream.push({ faults, stages, random: other });
      }
      if (faults.closeOnAccept) refusal ??= "closeOnAccept";
      if (faults.down) refusal = "down";
      connectDelay += faults.connectDelay ?? 0;
    }
    return { ...chosen, refusal, connectDelay };
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
