import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UpstreamWatch } from "../../lib/cli/upstream_watch.ts";
import type { ClosedConnection } from "../../lib/echo.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A connection that was closed now, by default without an upstream. */
const closed = (fields: Partial<ClosedConnection> = {}): ClosedConnection => ({
  id: 1,
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 40_000 },
  bytesRead: 0,
  bytesWritten: 0,
  upstream: { bytesRead: 0, bytesWritten: 0 },
  duration: 1,
  reason: "unreachable",
  ...fields,
});

/** A connection that the upstream has answered. */
const answered = (fields: Partial<ClosedConnection> = {}) =>
  closed({
    reason: "closed",
    upstream: { bytesRead: 5, bytesWritten: 5 },
    ...fields,
  });

describe("that an upstream cannot be reached is news", () => {
  it("once, however many connections fail", () => {
    using _clock = new FakeClock();
    const watch = new UpstreamWatch();
    assertEquals(watch.isNews(closed()), true);
    for (let i = 0; i < 1_000; i++) assertEquals(watch.isNews(closed()), false);
  });

  it("again after a minute", async () => {
    using clock = new FakeClock();
    const watch = new UpstreamWatch();
    watch.isNews(closed());
    await clock.advance(59_999);
    assertEquals(watch.isNews(closed()), false);
    await clock.advance(1);
    assertEquals(watch.isNews(closed()), true);
    assertEquals(watch.isNews(closed()), false);
  });

  it("again after a later connection that was answered", async () => {
    using clock = new FakeClock();
    const watch = new UpstreamWatch();
    watch.isNews(closed());
    await clock.advance(100);
    assertEquals(watch.isNews(answered({ duration: 50 })), false);
    assertEquals(watch.isNews(closed()), true);
  });

  it("but not after connections that were open before, which an outage ends one by one", async () => {
    using clock = new FakeClock();
    const watch = new UpstreamWatch();
    watch.isNews(closed());
    for (let i = 1; i <= 10; i++) {
      await clock.advance(100);
      const duration = i * 100 + 5_000;
      for (const reason of ["reset", "closed"] as const) {
        assertEquals(watch.isNews(answered({ reason, duration })), false);
      }
      assertEquals(watch.isNews(closed()), false);
    }
  });

  it("but not after connections that the upstream did not answer", async () => {
    using clock = new FakeClock();
    const watch = new UpstreamWatch();
    watch.isNews(closed());
    await clock.advance(100);
    watch.isNews(closed({ reason: "fault", duration: 5 }));
    watch.isNews(closed({ reason: "reset", duration: 5 }));
    assertEquals(watch.isNews(closed()), false);
  });

  it("never if each connection is answered, or if there is no upstream", () => {
    using _clock = new FakeClock();
    const watch = new UpstreamWatch();
    assertEquals(watch.isNews(answered()), false);
    const { upstream: _, ...echo } = answered();
    for (const reason of ["closed", "reset", "idle", "handshake"] as const) {
      assertEquals(watch.isNews({ ...echo, reason }), false);
    }
  });
});
