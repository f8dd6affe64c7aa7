// A standard Nostr client: NIP-42, NIP-44 and NIP-59 as nostr-tools has them.
// Reads {relay, secret, foreign} from standard input, prints what it saw.
import { readFileSync } from "node:fs";
import WebSocket from "ws";
import { finalizeEvent, getPublicKey, verifyEvent } from "nostr-tools/pure";
import { makeAuthEvent } from "nostr-tools/nip42";
import { Relay, useWebSocketImplementation } from "nostr-tools/relay";
import { unwrapEvent } from "nostr-tools/nip59";
import { hexToBytes } from "@noble/hashes/utils";

useWebSocketImplementation(WebSocket);
const { relay: url, secret, foreign } = JSON.parse(readFileSync(0, "utf8"));
const key = hexToBytes(secret);
const me = getPublicKey(key);
const saw = { authenticated: false, own: [], foreign: 0, refused: [] };

const relay = await Relay.connect(url);
for (let i = 0; i < 100 && !relay.challenge; i++) await new Promise((r) => setTimeout(r, 20));

// All stored events of one filter, or the reason why there are none.
function read(filter) {
  return new Promise((done) => {
    const events = [];
    const sub = relay.subscribe([filter], {
      onevent: (e) => events.push(e),
      oneose: () => { sub.close(); done(events); },
      onclose: (why) => { if (why !== "closed by caller") { saw.refused.push(why); done(events); } },
    });
  });
}

saw.beforeAuth = (await read({ kinds: [1059], "#p": [me] })).length;
await relay.auth(async (template) => finalizeEvent(template, key));
saw.authenticated = true;

for (const e of await read({ kinds: [1059], "#p": [me] })) {
  if (!verifyEvent(e)) throw new Error("a stored event does not verify");
  saw.own.push(unwrapEvent(e, key));
}
for (const filter of [
  { kinds: [1059], "#p": [foreign] },
  { kinds: [1059] },
  { kinds: [1059], limit: 0 },
  { "#p": [foreign] },
]) {
  for (const e of await read(filter)) if (!e.tags.some((t) => t[0] === "p" && t[1] === me)) saw.foreign++;
}
relay.close();
console.log(JSON.stringify(saw));
process.exit(0);
