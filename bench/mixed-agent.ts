/** An agent that answers at once, and fails one row in fifty. */
export default async function lookUp({ n }: { readonly n: string }): Promise<object> {
  if (Number(n) % 50 === 7) throw new Error("The exchange is not known");
  return { structured_output: { success: true, exchange: "KINGSLAND GREEN" } };
}
