// nostr-tools as a member's client: AUTH, a letter to the DVM, COUNT, and what
// is missing by comparing sets (NIP-77). Input and output as in ndk.mjs.
import { readFileSync } from "node:fs";
import WebSocket from "ws";
import { finalizeEvent, getPublicKey } from "nostr-tools/pure";
import { Relay, useWebSocketImplementation } from "nostr-tools/relay";
import { wrapEvent } from "nostr-tools/nip59";
// The package has it, but does not export it.
import { NegentropyStorageVector, NegentropySync } from "./node_modules/nostr-tools/lib/esm/nip77.js";

useWebSocketImplementation(WebSocket);
const { relay: url, secret, dvm, foreign } = JSON.parse(readFileSync(0, "utf8"));
const key = Uint8Array.from(Buffer.from(secret, "hex"));
const me = getPublicKey(key);
const saw = { letter: "", published: 0, refused: "", count: -1, foreignCount: -1, need: [], have: [], again: [] };

const relay = await Relay.connect(url);
for (let i = 0; i < 100 && !relay.challenge; i++) await new Promise((r) => setTimeout(r, 20));
await relay.auth(async (template) => finalizeEvent(template, key));

const letter = wrapEvent({ kind: 14, content: "hello from nostr-tools", tags: [] }, key, dvm);
await relay.publish(letter);
saw.published = 1;
saw.letter = letter.id;
await relay.publish(wrapEvent({ kind: 14, content: "x", tags: [] }, key, foreign)).catch((e) => (saw.refused = e.message));

saw.count = await relay.count([{ kinds: [1059] }], { id: "own" });
saw.foreignCount = await relay.count([{ kinds: [1059], "#p": [foreign] }], { id: "foreign" });

// What the relay has beside the given events, and the other way round.
function compare(events) {
  return new Promise((done, fail) => {
    const storage = new NegentropyStorageVector();
    for (const e of events) storage.insert(e.created_at, e.id);
    storage.seal();
    const need = [], have = [];
    const sync = new NegentropySync(relay, storage, { kinds: [1059], "#p": [me] }, {
      onneed: (id) => need.push(id), onhave: (id) => have.push(id),
      onclose: (why) => (why ? fail(new Error(why)) : done({ need, have })),
    });
    sync.start();
  });
}
const first = await compare([letter]);
saw.need = first.need;
saw.have = first.have;
const stored = await new Promise((done) => {
  const events = [];
  const sub = relay.subscribe([{ ids: first.need }], { onevent: (e) => events.push(e), oneose: () => { sub.close(); done(events); } });
});
saw.again = (await compare(stored)).need;
relay.close();
console.log(JSON.stringify(saw));
process.exit(0);
