import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Awaiting, ScheduleLoop } from "../../lib/load/schedule_loop.ts";

/** Runs a loop until `look` returns nothing. */
async function finish(
  look: () => number | undefined,
  awaiting: Awaiting = "nothing",
): Promise<ScheduleLoop> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const loop = new ScheduleLoop(() => {
    const wait = look();
    if (wait === undefined) resolve();
    return wait;
  }, () => awaiting);
  loop.wake();
  await promise;
  return loop;
}

describe("a schedule loop", () => {
  it("looks more often than timers can while something is due soon", async () => {
    const looks: number[] = [];
    await finish(() => looks.push(performance.now()) < 200 ? 1 : undefined);
    const gaps = looks.slice(1).map((at, i) => at - looks[i]!);
    // Timers come after 1 ms or more. Most gaps may be longer on a busy machine.
    assert(Math.min(...gaps) < 0.5);
  });

  it("leaves the event loop to the sockets while a reply is awaited", async () => {
    const start = performance.now();
    let looks = 0;
    const loop = await finish(() => {
      looks++;
      return performance.now() - start < 50 ? 1 : undefined;
    }, "soon");
    // A timer fires once a millisecond at most; turns come every 2 µs.
    assert(looks < 60, `${looks} looks`);
    assertEquals(loop.idle, 0);
  });

  it("looks often while a reply is awaited that takes a while", async () => {
    const looks: number[] = [];
    await finish(
      () => looks.push(performance.now()) < 200 ? 1 : undefined,
      "later",
    );
    const gaps = looks.slice(1).map((at, i) => at - looks[i]!);
    assert(Math.min(...gaps) < 0.5);
  });

  it("goes on at once if more is due, reply or not", async () => {
    let looks = 0;
    const start = performance.now();
    await finish(() => ++looks < 1_000 ? 0 : undefined, "soon");
    assert(performance.now() - start < 1_000);
  });

  it("looks when it is woken, unless a look is coming anyway", () => {
    for (
      const [awaiting, expected] of [["soon", 3], ["nothing", 1]] as const
    ) {
      let looks = 0;
      const loop = new ScheduleLoop(() => {
        looks++;
        return 1;
      }, () => awaiting);
      for (let i = 0; i < 3; i++) loop.wake();
      loop.stop();
      loop.wake();
      assertEquals(looks, expected);
    }
  });

  it("counts as idle what it spun, and nothing else", async () => {
    const start = performance.now();
    const spun = await finish(() =>
      performance.now() - start < 20 ? 1 : undefined
    );
    const took = performance.now() - start;
    assert(spun.idle > 10 && spun.idle <= took);
    let looks = 0;
    const busy = await finish(() => ++looks < 100 ? 0 : undefined, "soon");
    assertEquals(busy.idle, 0);
  });

  it("sleeps while nothing is due soon, and is back before it is", async () => {
    const start = performance.now();
    const looks: number[] = [];
    const loop = await finish(() => {
      const now = performance.now() - start;
      looks.push(now);
      return now < 100 ? 100 - now : undefined;
    });
    assertGreaterOrEqual(looks[1]!, 90);
    assert(loop.idle < 50);
  });

  it("looks no more once it is stopped", async () => {
    for (const wait of [1, 1_000]) {
      let looks = 0;
      const loop = new ScheduleLoop(() => {
        looks++;
        return wait;
      });
      loop.wake();
      loop.stop();
      await new Promise((resolve) => setTimeout(resolve, 10));
      assertEquals(looks, 1);
    }
  });
});
