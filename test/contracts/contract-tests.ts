import { test } from "node:test";

/** Defines one test of a contract. */
export type ContractTest<T> = (behaviour: string, run: (under: T) => Promise<void>) => void;

/**
 * Tests of a contract, each on an implementation of its own that is closed afterwards.
 *
 * @param name - of the implementation; every test's name begins with it
 */
export function contractTests<T extends { close(): Promise<void> }>(
  name: string,
  open: () => Promise<T>,
): ContractTest<T> {
  return (behaviour, run) =>
    void test(`${name}: ${behaviour}`, async () => {
      const under = await open();
      try {
        await run(under);
      } finally {
        await under.close();
      }
    });
}
