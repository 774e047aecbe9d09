import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ScheduleLoop } from "../../lib/client/schedule_loop.ts";

/** Runs a loop until `look` returns nothing. */
async function finish(look: () => number | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  new ScheduleLoop(() => {
    const wait = look();
    if (wait === undefined) resolve();
    return wait;
  }).start();
  await promise;
}

describe("a schedule loop", () => {
  it("looks more often than timers can while something is due soon", async () => {
    const looks: number[] = [];
    await finish(() => looks.push(performance.now()) < 200 ? 1 : undefined);
    const gaps = looks.slice(1).map((at, i) => at - looks[i]!);
    // Timers come after 1 ms or more. Most gaps may be longer on a busy machine.
    assert(Math.min(...gaps) < 0.5);
  });

  it("sleeps while nothing is due soon, and is back before it is", async () => {
    const start = performance.now();
    const looks: number[] = [];
    await finish(() => {
      const now = performance.now() - start;
      looks.push(now);
      return now < 100 ? 100 - now : undefined;
    });
    assertGreaterOrEqual(looks[1]!, 90);
  });

  it("looks no more once it is stopped", async () => {
    let looks = 0;
    for (const wait of [1, 1_000]) {
      looks = 0;
      const loop = new ScheduleLoop(() => {
        looks++;
        return wait;
      });
      loop.start();
      loop.stop();
      await new Promise((resolve) => setTimeout(resolve, 10));
      assertEquals(looks, 1);
    }
  });
});
