import { parseAttemptTask } from "../attempt/attempt-answer.ts";
import { parseJson, type JsonValue } from "../core/json.ts";
import { answerOf, makeAttempt } from "../engines/worker/do-task.ts";
import { shareAgents } from "../engines/worker/shared-agents.ts";
import { wire } from "../app/wire.ts";
import { byCode } from "./by-code.ts";

// Kept from one call to the next: a browser that is warm is most of what a function can save.
const { services } = wire();
const agents = shareAgents(services, 1);

/** Makes the attempt of a browser agent in the function itself. */
export const handler: (event: unknown) => Promise<JsonValue> = byCode(async (event) => {
  const task = parseAttemptTask(event);
  const setup = { services, agents, name: "lambda", noteLocalFile: () => {} };
  const { attempt, unfit } = await makeAttempt(setup, task, new AbortController().signal);
  if (unfit !== undefined) throw unfit;
  const answer = await answerOf(setup, task, attempt);
  if (answer.status === "succeeded") return parseJson(answer.output);
  throw Object.assign(new Error(answer.cause), { name: answer.error });
});
