import { streamSSE } from "hono/streaming";
import type { Context } from "hono";
import type { ServerContext, ServerEnv } from "../server-setup.ts";
import { operation, type Operation } from "./operation.ts";
import { runParams } from "./schemas.ts";

const media = { media: ["text/event-stream"], description: "`snapshot`, then `run` and `message` events" };
const description =
  "At most five events a second for each run, however many rows it has. `Last-Event-ID` continues after that event; when it is too old, a `snapshot` comes first.";
const beatMs = 15_000;

/** Live events, as browsers' `EventSource` reads them. */
export function eventOperations({ engine, watch }: ServerContext): readonly Operation[] {
  const stream = (c: Context<ServerEnv>, run: string | undefined): Response =>
    streamSSE(c, async (sse) => {
      const gone = new AbortController();
      sse.onAbort(() => gone.abort());
      const caller = c.get("caller");
      // Whose session ends, or whose token is replaced, is told no more.
      const isLetIn = async (): Promise<boolean> => (await caller?.isLetIn().catch(() => false)) === true;
      // A comment now and then tells both ends, and proxies between them, that the other is there.
      const beat = setInterval(() => {
        void isLetIn().then(async (is) => void (is ? await sse.write(": \n\n") : gone.abort()));
      }, beatMs);
      try {
        const lastEventId = c.req.header("last-event-id");
        for await (const { id, type, data } of watch.subscribe({ run, lastEventId, signal: gone.signal })) {
          if (!(await isLetIn())) break;
          await sse.writeSSE({ id, event: type, data: JSON.stringify(data) });
        }
      } finally {
        clearInterval(beat);
      }
    });
  return [
    operation({
      id: "watchRuns",
      route: "GET /events",
      summary: "Live events of all runs",
      description,
      answer: media,
      handle: async ({ context }) => stream(context, undefined),
    }),
    operation({
      id: "watchRun",
      route: "GET /runs/{id}/events",
      summary: "Live events of one run",
      description,
      params: runParams,
      answer: media,
      errors: ["RUN_NOT_FOUND"],
      handle: async ({ params, context }) => stream(context, (await engine.describe(params.id)).id),
    }),
  ];
}
