import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  directedFaults,
  faultFlags,
  faultOptions,
} from "../../lib/cli/fault_flags.ts";
import { parseFlags, UsageError, type Values } from "../../lib/cli/flags.ts";
import { checkFaults } from "../../lib/net/fault_options.ts";

const parse = (args: string[]): Values<typeof faultFlags> =>
  parseFlags(faultFlags, args).values;

/** The faults that arguments ask for, without those that they do not. */
function faultsOf(args: string[]) {
  const given = Object.entries(faultOptions(parse(args)) ?? {})
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/** Each flag of a fault with a value, and the option that it sets. */
const FLAGS = {
  "--latency 100ms": { latency: 100 },
  "--jitter 1.5s": { jitter: 1_500 },
  "--bandwidth 1000": { bandwidth: 1_000 },
  "--slicer 10": { slicer: 10 },
  "--slicer 10 --slicer-delay 5ms": { slicer: 10, slicerDelay: 5 },
  "--limit-data 0": { limitData: 0 },
  "--stall 0": { stall: 0 },
  "--reset 7": { reset: 7 },
  "--corrupt 1e-3": { corrupt: 0.001 },
  "--close-after 2m": { closeAfter: 120_000 },
  "--stall-after 0ms": { stallAfter: 0 },
  "--reset-after 1s": { resetAfter: 1_000 },
  "--close-on-accept": { closeOnAccept: true },
  "--down": { down: true },
};

describe("the flags of a fault", () => {
  for (const [args, faults] of Object.entries(FLAGS)) {
    it(`${args} sets only its own option`, () => {
      assertEquals(faultsOf(args.split(" ")), faults);
      checkFaults(faults);
    });
  }

  it("are all in this test, but for those that qualify others", () => {
    const named = Object.keys(FLAGS).join(" ").match(/(?<=--)[a-z-]+/g) ?? [];
    assertEquals(
      new Set([...named, "toxicity", "seed", "fault-direction"]),
      new Set(Object.keys(faultFlags)),
    );
  });

  it("combine, with the share of connections and the seed", () => {
    const args = "--latency 1s --corrupt 1 --toxicity 0.5 --seed 9";
    assertEquals(faultsOf(args.split(" ")), {
      latency: 1_000,
      corrupt: 1,
      toxicity: 0.5,
      seed: 9,
    });
  });

  it("ask for no faults if there are none", () => {
    assertEquals(faultOptions(parse([])), undefined);
  });

  for (
    const [args, message] of [
      ["--toxicity 0.5", "--toxicity and --seed need a fault"],
      ["--seed 1", "--toxicity and --seed need a fault"],
      ["--fault-direction both", "--fault-direction needs a fault"],
      ["--slicer-delay 1ms", "--slicer-delay needs --slicer"],
      [
        "--latency 1s --fault-direction up",
        'Cannot use --fault-direction "up": expected downstream, upstream or both',
      ],
    ] as const
  ) {
    it(`${args} is rejected: ${message}`, () => {
      const error = assertThrows(
        () => faultOptions(parse(args.split(" "))),
        UsageError,
      );
      assertEquals(error.message, message);
    });
  }
});

describe("--fault-direction", () => {
  const faults = { latency: 1 };
  for (
    const [args, expected] of [
      [[], { downstream: faults }],
      [["--fault-direction", "downstream"], { downstream: faults }],
      [["--fault-direction", "upstream"], { upstream: faults }],
      [["--fault-direction=both"], { downstream: faults, upstream: faults }],
    ] as const
  ) {
    it(`${args.join(" ") || "by default"} is ${Object.keys(expected)}`, () => {
      assertEquals(directedFaults(parse([...args]), faults), expected);
    });
  }
});
