import { randomUUID } from "node:crypto";
import type { Notifications } from "../../core/batch.ts";
import { maskAddress, type Delivery, type FailureCount, type Notification } from "../../core/channel.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { composeNotification, newsOf } from "../../runs/compose-notification.ts";

/** What kind of news a run is to its channels; undefined when nobody is to be told of how it stands. */
export function owedNews({ status }: Run, { onSuccess, onFailure }: Notifications): Notification["kind"] | undefined {
  const kind = newsOf(status);
  return kind !== undefined && (kind === "success" ? onSuccess : onFailure) ? kind : undefined;
}

/**
 * Tells channels from this machine how a run on AWS ended, all at once. A channel that fails is in what is returned and nothing else.
 *
 * @param failures - most frequent first
 */
export async function notifyFromHere(
  { openChannel, clock }: Services,
  channels: readonly string[],
  kind: Notification["kind"],
  run: Run,
  failures: readonly FailureCount[],
): Promise<readonly Delivery[]> {
  return Promise.all(
    channels.map(async (address): Promise<Delivery> => {
      const notification = composeNotification(randomUUID(), kind, run, failures);
      const { id } = notification;
      const delivery = { id, channel: maskAddress(address), kind, tries: 1, triedAt: clock() };
      try {
        await (await openChannel(address)).notify(notification);
        return { ...delivery, status: "delivered" };
      } catch (thrown) {
        return { ...delivery, status: "failed", error: errorOf(thrown) };
      }
    }),
  );
}

function errorOf(thrown: unknown): NonNullable<Delivery["error"]> {
  if (!(thrown instanceof RowcallError)) return { code: "CHANNEL_FAILED", message: messageOf(thrown) };
  const { code, message, hint } = thrown;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
