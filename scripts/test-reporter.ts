import { Readable } from "node:stream";
import type { TestEvent } from "node:test/reporters";
import { spec } from "node:test/reporters";

const summaryLine = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;
const wellCovered = 95;

async function* coverageBeforeSummary(source: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const held: TestEvent[] = [];
  for await (const event of source) {
    if (event.type === "test:diagnostic" && summaryLine.test(event.data.message)) {
      held.push(event);
    } else if (event.type === "test:coverage") {
      const { summary } = event.data;
      const files = summary.files.filter((file) => file.coveredLinePercent < wellCovered);
      yield { ...event, data: { ...event.data, summary: { ...summary, files } } };
    } else {
      yield event;
    }
  }
  yield* held;
}

/**
 * Node's `spec` report with the coverage before the summary, so that a log ends with what counts.
 * Of the files only those with gaps are listed; the totals are of all.
 */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(coverageBeforeSummary(source)).pipe(new spec());
}
