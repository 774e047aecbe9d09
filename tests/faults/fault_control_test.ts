import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FaultControl } from "../../lib/faults/fault_control.ts";
import type { Direction, Faults } from "../../lib/net/fault_options.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeConn } from "../support/fakes.ts";
import { utf8 } from "../support/peers.ts";

/** A connection under a control. */
function attached(
  control: FaultControl,
  { id = 1, direction = "downstream", onDown }: {
    id?: number;
    direction?: Direction;
    onDown?: () => void;
  } = {},
) {
  const plain = new FakeConn();
  const point = control.attach(plain, {
    id,
    direction,
    ...onDown && { onDown },
  });
  return { plain, point };
}

/** The bytes of a slice that a connection sends now; 8 without faults. */
async function sliceOf(
  { plain, point }: ReturnType<typeof attached>,
): Promise<number> {
  const before = plain.writes.length;
  await point.conn.write(new Uint8Array(8));
  return plain.writes[before]!.length;
}

const slices = (slicer: number) => ({ downstream: { slicer } });

describe("a fault control", () => {
  it("gives connections the faults that are in force, and later ones", async () => {
    const control = new FaultControl(slices(4));
    const one = attached(control);
    assertEquals(await sliceOf(one), 4);
    control.set(slices(2));
    const two = attached(control, { id: 2 });
    assertEquals([await sliceOf(one), await sliceOf(two)], [2, 2]);
    control.set({});
    assertEquals([await sliceOf(one), await sliceOf(two)], [8, 8]);
  });

  it("leaves connections alone that it never had faults for", async () => {
    const control = new FaultControl();
    const { plain, point } = attached(control);
    assert(point.conn === plain);
    control.set({});
    control.set({ upstream: { slicer: 1 } });
    assert(point.conn === plain);
    assertEquals(point.counts, undefined);
    assertEquals(await sliceOf({ plain, point }), 8);
  });

  it("tells both directions apart", async () => {
    const control = new FaultControl({ upstream: { slicer: 1 } });
    const down = attached(control);
    const up = attached(control, { direction: "upstream" });
    assertEquals([await sliceOf(down), await sliceOf(up)], [8, 1]);
    control.set({ downstream: { slicer: 2 }, upstream: { slicer: 3 } });
    assertEquals([await sliceOf(down), await sliceOf(up)], [2, 3]);
    control.set(slices(4));
    assertEquals([await sliceOf(down), await sliceOf(up)], [4, 8]);
  });

  it("forgets a connection that is detached", async () => {
    const control = new FaultControl();
    const one = attached(control);
    control.detach(one.point);
    control.set(slices(1));
    assert(one.point.conn === one.plain);
    assertEquals(await sliceOf(one), 8);
  });

  it("knows whether there are faults, or were any", () => {
    assertEquals(new FaultControl().used, false);
    assertEquals(new FaultControl({}).used, false);
    assertEquals(new FaultControl(slices(1)).used, true);
    const control = new FaultControl();
    control.inject(slices(1))[Symbol.dispose]();
    assertEquals(control.used, true);
  });

  it("refuses faults that are out of range, and changes nothing", async () => {
    for (
      const faults of [
        { downstream: { latency: -1 } },
        { upstream: { latency: -1 } },
        { downstream: { slicer: 1 }, upstream: { latency: NaN } },
      ]
    ) {
      assertThrows(() => new FaultControl(faults), RangeError, "latency");
      const control = new FaultControl(slices(4));
      const one = attached(control);
      assertThrows(() => control.set(faults), RangeError, "latency");
      assertEquals(await sliceOf(one), 4);
      using _scope = control.inject(slices(2));
      assertThrows(() => control.inject(faults), RangeError, "latency");
      assertEquals(await sliceOf(one), 2);
      assertThrows(() => control.set(faults), RangeError, "latency");
      assertEquals(await sliceOf(one), 2);
    }
  });

  it("injects them into the share of connections that toxicity sets", async () => {
    const control = new FaultControl();
    const all = Array.from(
      { length: 200 },
      (_, id) => attached(control, { id }),
    );
    const affected = async () => {
      const sizes = await Promise.all(all.map(sliceOf));
      return sizes.flatMap((size, id) => size === 1 ? [id] : []);
    };
    control.set({ downstream: { slicer: 1, toxicity: 0.5, seed: 1 } });
    const first = await affected();
    assert(first.length > 70 && first.length < 130, `${first.length}`);
    control.set({});
    assertEquals(await affected(), []);
    control.set({ downstream: { slicer: 1, toxicity: 0.5, seed: 1 } });
    assertEquals(await affected(), first);
    control.set({ downstream: { slicer: 1, toxicity: 0 } });
    assertEquals(await affected(), []);
  });
});

describe("a scope of faults", () => {
  it("ends with the faults from before", async () => {
    const control = new FaultControl(slices(4));
    const one = attached(control);
    {
      using _outer = control.inject(slices(3));
      assertEquals(await sliceOf(one), 3);
      {
        using _inner = control.inject({});
        assertEquals(await sliceOf(one), 8);
      }
      assertEquals(await sliceOf(one), 3);
    }
    assertEquals(await sliceOf(one), 4);
  });

  it("may end before one that began later, which stays in force", async () => {
    const control = new FaultControl(slices(4));
    const one = attached(control);
    const first = control.inject(slices(3));
    const second = control.inject(slices(2));
    first[Symbol.dispose]();
    assertEquals(await sliceOf(one), 2);
    second[Symbol.dispose]();
    assertEquals(await sliceOf(one), 4);
  });

  it("does not touch connections if another is in force", async () => {
    using _clock = new FakeClock();
    const control = new FaultControl();
    const first = control.inject(slices(3));
    using _second = control.inject({ downstream: { latency: 1_000 } });
    const { plain, point } = attached(control);
    await point.conn.write(utf8("held"));
    first[Symbol.dispose]();
    await settle();
    assertEquals(plain.output.length, 0);
    point.conn.close();
  });

  it("ends once", async () => {
    const control = new FaultControl(slices(4));
    const one = attached(control);
    const scope = control.inject(slices(3));
    scope[Symbol.dispose]();
    using _next = control.inject(slices(2));
    scope[Symbol.dispose]();
    assertEquals(await sliceOf(one), 2);
    assertEquals(await sliceOf(attached(control)), 2);
  });

  it("contains what is set until it ends", async () => {
    const control = new FaultControl(slices(4));
    const one = attached(control);
    {
      using _scope = control.inject(slices(3));
      control.set(slices(2));
      assertEquals(await sliceOf(one), 2);
    }
    assertEquals(await sliceOf(one), 4);
  });
});

describe("an outage", () => {
  const down: Faults = { down: true };

  it("is told to the connections that are open", () => {
    for (const direction of ["downstream", "upstream"] as const) {
      const control = new FaultControl();
      let closed = 0;
      attached(control, { direction, onDown: () => void closed++ });
      control.set({ downstream: down, upstream: down });
      assertEquals(closed, 1);
    }
  });

  it("spares those that toxicity excludes", () => {
    const control = new FaultControl();
    const { point } = attached(control, {
      onDown: () => {
        throw new Error("closed");
      },
    });
    control.set({ downstream: { ...down, toxicity: 0 } });
    control.set({ downstream: { down: false } });
    assertEquals(point.refusal, undefined);
    assertEquals(point.counts ?? {}, {});
  });

  it("refuses a connection that is new", () => {
    for (const fault of ["down", "closeOnAccept"] as const) {
      const control = new FaultControl({ downstream: { [fault]: true } });
      const { point } = attached(control);
      assertEquals(point.refusal, fault);
      point.countRefusal(fault);
      assertEquals(point.counts, { [fault]: 1 });
    }
  });
});
