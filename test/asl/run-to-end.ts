import type { ExecutionDescription, Interpreter } from "./interpreter.ts";
import { settle, type VirtualClock } from "./virtual-clock.ts";

// Turns of the event loop in which nothing may happen before it is certain that nothing will.
const mostIdleTurns = 1000;

/**
 * Lets an execution come to its end: time jumps from one wait to the next, and stands still while a service, a function or a worker
 * is at work.
 */
export async function runToEnd(
  interpreter: Interpreter,
  time: VirtualClock,
  executionArn: string,
): Promise<ExecutionDescription> {
  let over = false;
  const end = interpreter.finished(executionArn).finally(() => (over = true));
  end.catch(() => undefined);
  for (let idle = 0; !over && idle < mostIdleTurns;) {
    await settle();
    const ms = time.nextMs();
    if (interpreter.callsUnderWay() > 0) idle = 0;
    else if (ms === undefined) idle += 1;
    else await time.advance(ms);
  }
  if (!over) throw new Error(`${executionArn} waits for something that does not come`);
  return end;
}
