/** The one account of the logged-in face. */
const account: { readonly user: string; readonly password: string } = { user: "tester", password: "replica" };

const attemptsBeforeLock = 3;

/** Logins of one running replica: one at a time, a later one ends the earlier. */
export interface Sessions {
  /** A new token, or why there is none. */
  login(user: string, password: string): { readonly token: string } | { readonly refused: "wrong" | "locked" };
  /** Counts a request; false when the login has ended. */
  use(token: string | undefined, life: number | null): boolean;
  reset(): void;
}

/** Nobody is logged in yet. */
export function createSessions(): Sessions {
  let count = 0;
  let current: string | undefined;
  let used = 0;
  let wrong = 0;
  return {
    login(user, password) {
      if (wrong >= attemptsBeforeLock) return { refused: "locked" };
      if (user !== account.user || password !== account.password) {
        wrong += 1;
        return { refused: wrong >= attemptsBeforeLock ? "locked" : "wrong" };
      }
      wrong = 0;
      used = 0;
      count += 1;
      current = `replica-${count}`;
      return { token: current };
    },
    use(token, life) {
      if (token === undefined || token !== current) return false;
      used += 1;
      if (life === null || used <= life) return true;
      current = undefined;
      return false;
    },
    reset() {
      current = undefined;
      wrong = 0;
    },
  };
}
