import { script, workerUrl, type Channel } from "./channel.ts";

/** A peer connection that looks for ways to be reached, until it has found them all. */
const gather = (server: string, extra = ""): string => `
  const peer = new RTCPeerConnection({ iceServers: [${server}], ${extra} });
  peer.createDataChannel("a");
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise((resolve) => { peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve(); });`;
const turn = (urls: string): string => `{ urls: "${urls}", username: "a", credential: "b" }`;

/** What is no request: sockets, streams, peers. */
export const socketChannels: readonly Channel[] = [
  script("web-socket", ({ url }) => `new WebSocket("${url.replace("http:", "ws:")}");`),
  script("web-socket-secure", ({ host }) => `new WebSocket("wss://${host}/");`),
  script("web-socket-stream", ({ url }) => `await new WebSocketStream("${url.replace("http:", "ws:")}").opened;`),
  script(
    "worker-web-socket",
    ({ url }) => `new Worker(${workerUrl(`new WebSocket("${url.replace("http:", "ws:")}");`)});`,
  ),
  script(
    "shared-worker-web-socket",
    ({ url }) => `new SharedWorker(${workerUrl(`new WebSocket("${url.replace("http:", "ws:")}");`)});`,
  ),
  script(
    "service-worker-web-socket",
    ({ url }) =>
      `await navigator.serviceWorker.register(${workerUrl(`new WebSocket("${url.replace("http:", "ws:")}");`)}, { scope: "/service-worker-web-socket" });`,
    "direct",
  ),
  script("web-transport", ({ udp }) => `await new WebTransport("https://127.0.0.1:" + ${udp} + "/").ready;`, "direct"),
  script(
    "worker-web-transport",
    ({ udp }) => `new Worker(${workerUrl(`new WebTransport("https://127.0.0.1:${udp}/")`)});`,
    "direct",
  ),
  script("rtc-stun", ({ udp }) => gather(`{ urls: "stun:127.0.0.1:${udp}" }`), "direct"),
  script("rtc-stun-name", ({ hostname, udp }) => gather(`{ urls: "stun:${hostname}:${udp}" }`), "direct"),
  script("rtc-turn-udp", ({ udp }) => gather(turn(`turn:127.0.0.1:${udp}?transport=udp`)), "direct"),
  script(
    "rtc-turn-udp-relay",
    ({ udp }) => gather(turn(`turn:127.0.0.1:${udp}?transport=udp`), `iceTransportPolicy: "relay"`),
    "direct",
  ),
  script("rtc-turn-tcp", ({ bare }) => gather(turn(`turn:${bare}?transport=tcp`)), "direct"),
  script("rtc-turns", ({ bare }) => gather(turn(`turns:${bare}?transport=tcp`)), "direct"),
  script("rtc-peer-udp", ({ udp }) => peerAt("udp", udp), "direct"),
  script("rtc-peer-tcp", ({ bare }) => peerAt("tcp", Number(bare.split(":")[1])), "direct"),
];

/** A peer connection that is told where the other side is. */
function peerAt(protocol: "udp" | "tcp", port: number): string {
  const type = protocol === "tcp" ? " tcptype passive" : "";
  return `
    const [one, other] = [new RTCPeerConnection(), new RTCPeerConnection()];
    one.createDataChannel("a");
    await one.setLocalDescription(await one.createOffer());
    await other.setRemoteDescription(one.localDescription);
    await other.setLocalDescription(await other.createAnswer());
    const own = (line) => !line.startsWith("a=candidate");
    await one.setRemoteDescription({ type: "answer", sdp: other.localDescription.sdp.split("\\r\\n").filter(own).join("\\r\\n") });
    await one.addIceCandidate({ candidate: "candidate:1 1 ${protocol} 2122260223 127.0.0.1 ${port} typ host${type}", sdpMid: "0" });
    await new Promise((resolve) => setTimeout(resolve, 1000));`;
}
