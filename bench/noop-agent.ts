/** An agent that answers at once, so that only the way of a row is measured. */
export default async function lookUp(): Promise<object> {
  return {
    structured_output: {
      success: true,
      exchange: "KINGSLAND GREEN",
      cabinet: "Cabinet 9",
      downstream_mbps: 80,
      upstream_mbps: 20,
    },
  };
}
