import { randomUUID } from "node:crypto";
import { maskAddress, type Delivery, type Notification } from "../../core/channel.ts";
import { messageOf } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { composeNotification, owedNews, sendNotification } from "../../runs/compose-notification.ts";
import { hasRecordings } from "../../runs/recordings-uri.ts";
import { toDelivery, type DeliveryRecord } from "../../runs/delivery-log.ts";
import type { Journal, RunRecord } from "../../runs/journal.ts";
import { failuresOf } from "../../runs/survey-run.ts";

/** Who is to be told, of which run. */
export interface NotifySetup {
  readonly services: Services;
  readonly journal: Journal;
  readonly record: RunRecord;
  /** The same run as others see it. */
  readonly run: Run;
  /** Told what the user should know of a channel that works, each thing once. */
  warn(message: string, hint: string): void;
}

/** `new`: the run has just ended; `unsent`: what has not arrived since it ended; `all`: that, and what has arrived once more. */
type Which = "new" | "unsent" | "all";

/** Tells the batch's channels of a run that has just ended. Whatever becomes of it is a warning: the run stands as it is. */
export async function tellChannels(setup: NotifySetup): Promise<void> {
  const { record, warn } = setup;
  const again = `Send it again: \`rowcall notify ${record.id}\`.`;
  try {
    for (const { channel, error } of await notifyChannels(setup, "new")) {
      if (error === undefined) continue;
      const { message, hint } = error;
      warn(`The notification to ${channel} failed: ${message}`, hint === undefined ? again : `${hint} ${again}`);
    }
  } catch (error) {
    warn(`The notifications of run ${record.id} could not be kept account of: ${messageOf(error)}`, again);
  }
}

/**
 * Tells the batch's channels how a run ended, all at once, and keeps account in the journal. A channel that fails is in what is
 * returned and nothing else.
 *
 * @returns where each channel stands; empty when nobody is to be told of how the run stands
 * @throws when the journal cannot be written
 */
export async function notifyChannels(setup: NotifySetup, which: Which): Promise<readonly Delivery[]> {
  const { services, journal, record } = setup;
  const { notifications } = record.batch;
  const kind = owedNews(setup.run.status, notifications);
  if (kind === undefined) return [];
  const run = await withoutEmptyRecordings(setup);
  const failures = (await failuresOf({ journal, run: record })).map(({ code, count }) => ({ code, count }));
  const before = journal.deliveries.list(record.seq).filter(({ ending }) => ending === record.endedAt);
  const warned = new Set<string>();
  const warn: NotifySetup["warn"] = (message, hint) => {
    if (!warned.has(message)) setup.warn(message, hint);
    warned.add(message);
  };
  return Promise.all(
    notifications.channels.map(async (address, place) => {
      const last = which === "new" ? undefined : before.findLast((delivery) => delivery.place === place);
      if (last?.status === "delivered" && which === "unsent") return toDelivery(last);
      const delivery = note(setup, kind, address, place, last);
      const notification = composeNotification(delivery.id, kind, run, failures);
      const error = await sendNotification(services, address, notification, warn);
      return toDelivery(journal.deliveries.end(delivery, error));
    }),
  );
}

// What has not arrived keeps its id, so that a receiver that has it all the same can tell; what has arrived is told anew.
function note(
  { services, journal, record }: NotifySetup,
  kind: Notification["kind"],
  address: string,
  place: number,
  last: DeliveryRecord | undefined,
): DeliveryRecord {
  const triedAt = services.clock();
  if (last !== undefined && last.status !== "delivered") return journal.deliveries.again(last, triedAt);
  return journal.deliveries.begin(record.seq, {
    id: randomUUID(),
    ending: record.endedAt ?? triedAt,
    place,
    channel: maskAddress(address),
    kind,
    triedAt,
  });
}

// A run names the place of its recordings whether or not its agent left any.
async function withoutEmptyRecordings({ services, run }: NotifySetup): Promise<Run> {
  const { recordingsUri: _recordings, ...others } = run;
  return (await hasRecordings(services.store, run)) ? run : others;
}
