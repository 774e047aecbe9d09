import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { withTimeLimit } from "./time_limit.ts";

describe("a test with a time limit", () => {
  it("fails if its body hangs, with the limit in the message", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    // The event loop waits for this, as in a real test that hangs.
    const pending = listener.accept().catch(() => {});
    await assertRejects(
      () => withTimeLimit(() => new Promise(() => {}), 20),
      Error,
      "took longer than 0.02 s",
    );
    listener.close();
    await pending;
  });

  it("ends like its body, and leaves no timer", async () => {
    let runs = 0;
    await withTimeLimit(() => void runs++);
    await withTimeLimit(() => Promise.resolve(void runs++));
    await assertRejects(
      () => withTimeLimit(() => Promise.reject(new RangeError("its own"))),
      RangeError,
      "its own",
    );
    await assertRejects(
      () =>
        withTimeLimit(() => {
          throw new RangeError("at once");
        }),
      RangeError,
      "at once",
    );
    assertEquals(runs, 2);
  });
});
