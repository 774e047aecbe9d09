import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FaultInjector } from "../../lib/faults/fault_injector.ts";
import type { Direction, Faults } from "../../lib/net/fault_options.ts";

/** The first random numbers of a connection, for a purpose. */
function numbers(
  faults: Faults,
  { id = 1, purpose = 1, direction = "downstream" }: {
    id?: number;
    purpose?: number;
    direction?: Direction;
  } = {},
): number[] {
  const random = new FaultInjector(faults, direction).faultsOf(id)!
    .random(purpose);
  return Array.from({ length: 5 }, random);
}

describe("a fault injector", () => {
  it("repeats with its seed", () => {
    assertEquals(numbers({ seed: 7 }), numbers({ seed: 7 }));
    assertEquals(
      numbers({ seed: 7 }, { direction: "upstream" }),
      numbers({ seed: 7 }, { direction: "upstream" }),
    );
  });

  it("repeats for each connection, as long as it is in force", () => {
    const injector = new FaultInjector({});
    const first = injector.faultsOf(1)!.random(1)();
    assertEquals(injector.faultsOf(1)!.random(1)(), first);
    assert(new FaultInjector({}).faultsOf(1)!.random(1)() !== first);
  });

  it("differs by seed, connection, purpose and direction", () => {
    const all = [
      numbers({ seed: 7 }),
      numbers({ seed: 8 }),
      numbers({ seed: 7 }, { id: 2 }),
      numbers({ seed: 7 }, { purpose: 2 }),
      numbers({ seed: 7 }, { direction: "upstream" }),
    ];
    assertEquals(new Set(all.flat()).size, 25);
  });

  it("chooses other connections in the other direction", () => {
    const chosen = (direction?: Direction) => {
      const injector = new FaultInjector(
        { toxicity: 0.5, seed: 1 },
        direction,
      );
      return Array.from({ length: 100 }, (_, id) => !!injector.faultsOf(id));
    };
    assert(`${chosen()}` !== `${chosen("upstream")}`);
  });

  it("chooses all connections or none at the ends of the range", () => {
    for (const [toxicity, expected] of [[0, false], [1, true]] as const) {
      const injector = new FaultInjector({ toxicity });
      for (let id = 0; id < 1_000; id++) {
        assert(!!injector.faultsOf(id) === expected);
      }
    }
  });
});
