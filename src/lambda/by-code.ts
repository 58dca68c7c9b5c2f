import { RowcallError } from "../core/errors.ts";

/**
 * A function's handler whose errors a state machine can tell apart: Lambda reports an error's name, which becomes our code, and its
 * message, which holds message and hint as JSON.
 */
export function byCode<E, R>(handler: (event: E) => Promise<R>): (event: E) => Promise<R> {
  return async (event) => {
    try {
      return await handler(event);
    } catch (thrown) {
      if (!(thrown instanceof RowcallError)) throw thrown;
      const { code, message, hint } = thrown;
      throw Object.assign(new Error(JSON.stringify({ message, hint }), { cause: thrown }), { name: code });
    }
  };
}
