import { assertEquals, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LoadState } from "../../lib/load/state.ts";

function start(): LoadState {
  const state = new LoadState({
    ...{ connections: 2, rate: 1, count: Infinity, duration: 60_000 },
    ...{ warmup: 0, size: 1, timeout: 1_000, action: "Cannot load" },
    dial: () => Promise.reject(new Error("not in this test")),
  });
  state.start();
  return state;
}

describe("a connection that waits for its next message", () => {
  it("is woken although the message was announced before it waited", async () => {
    const state = start();
    try {
      assertEquals(state.pacer!.isAnnounced(0), true);
      assertLess(await state.woken(0), 500);
    } finally {
      state.schedule.stop();
    }
  });

  it("is woken by the end of the run, before it waits or after", async () => {
    const state = start();
    const before = state.woken(1);
    state.schedule.stop();
    state.stopping.abort();
    state.wakeAll();
    assertLess(await before, 500);
    assertLess(await state.woken(1), 500);
  });
});
