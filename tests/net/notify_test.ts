import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { notify } from "../../lib/net/notify.ts";

describe("notify", () => {
  it("calls the callback, if there is one", () => {
    const values: number[] = [];
    notify((value: number) => values.push(value), 1);
    notify(undefined, 2);
    assertEquals(values, [1]);
  });

  it("reports what the callback throws, and returns", () => {
    const reported: unknown[] = [];
    const listener = (event: ErrorEvent) => {
      event.preventDefault();
      reported.push(event.error);
    };
    const error = new Error("a mistake");
    addEventListener("error", listener);
    try {
      notify(() => {
        throw error;
      }, 1);
    } finally {
      removeEventListener("error", listener);
    }
    assertEquals(reported, [error]);
  });
});
