import type { Delivery } from "../core/channel.ts";
import type { Database } from "./sqlite.ts";

/** A delivery with what it belongs to. */
export interface DeliveryRecord extends Delivery {
  /** Which end of the run it tells of: a run that is resumed or rerun ends again. Milliseconds since 1970. */
  readonly ending: number;
  /** Position of its channel among those of the batch. */
  readonly place: number;
}

/** What has been sent, or was to be. Every change is committed when the call returns. */
export interface DeliveryLog {
  /** Oldest first. */
  list(run: number): readonly DeliveryRecord[];
  /** Notes a delivery before it is sent. */
  begin(run: number, delivery: Omit<DeliveryRecord, "status" | "tries">): DeliveryRecord;
  /** Notes that a delivery is sent once more. */
  again(delivery: DeliveryRecord, at: number): DeliveryRecord;
  /** Notes that a delivery arrived, or why it did not. */
  end(delivery: DeliveryRecord, error: Delivery["error"]): DeliveryRecord;
}

const columns = "id, ending, place, channel, kind, status, tries, tried_at AS triedAt, code, message, hint";

/** The log of deliveries in a journal's database. */
export function openDeliveryLog(database: Database): DeliveryLog {
  const save = (delivery: DeliveryRecord): DeliveryRecord => {
    const { id, status, tries, triedAt, error } = delivery;
    database
      .prepare(
        "UPDATE deliveries SET status = ?, tries = ?, tried_at = ?, code = ?, message = ?, hint = ? WHERE id = ?",
      )
      .run(status, tries, triedAt, error?.code ?? null, error?.message ?? null, error?.hint ?? null, id);
    return delivery;
  };
  return {
    list: (run) =>
      database.prepare(`SELECT ${columns} FROM deliveries WHERE run = ? ORDER BY seq`).all(run).map(toRecord),
    begin: (run, delivery) => {
      const { id, ending, place, channel, kind, triedAt } = delivery;
      database
        .prepare(
          `INSERT INTO deliveries (id, run, ending, place, channel, kind, status, tries, tried_at)
           VALUES (?, ?, ?, ?, ?, ?, 'pending', 1, ?)`,
        )
        .run(id, run, ending, place, channel, kind, triedAt);
      return { ...delivery, status: "pending", tries: 1 };
    },
    again: ({ error: _error, ...delivery }, at) =>
      save({ ...delivery, status: "pending", tries: delivery.tries + 1, triedAt: at }),
    end: (delivery, error) =>
      save({ ...delivery, ...(error === undefined ? { status: "delivered" } : { status: "failed", error }) }),
  };
}

/** A delivery as others see it. */
export function toDelivery({ ending: _ending, place: _place, ...delivery }: DeliveryRecord): Delivery {
  return delivery;
}

function toRecord({ code, message, hint, ...delivery }: Record<string, unknown>): DeliveryRecord {
  const error = code === null ? {} : { error: { code, message, ...(hint === null ? {} : { hint }) } };
  return { ...delivery, ...error } as DeliveryRecord;
}
