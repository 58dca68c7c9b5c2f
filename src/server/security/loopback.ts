/** Whether a `Host` header, or a name to listen at, means this machine alone. */
export function isLoopbackHost(host: string): boolean {
  return /^(?:(?:localhost|[\w.-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?|::1)$/i.test(host);
}
