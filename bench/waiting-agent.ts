import { setTimeout as wait } from "node:timers/promises";

/** An agent that takes 50 ms and nothing of the processor. */
export default async function lookUp(): Promise<object> {
  await wait(50);
  return { structured_output: { ok: true } };
}
