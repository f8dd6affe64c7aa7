// blossom-client-sdk as a member's client: upload, get, delete.
// Reads {server, secret} from standard input, prints what it saw.
import { readFileSync } from "node:fs";
import { finalizeEvent } from "nostr-tools/pure";
import { Actions, createDeleteAuth, createDownloadAuth, createUploadAuth } from "blossom-client-sdk";

const { server, secret } = JSON.parse(readFileSync(0, "utf8"));
const key = Uint8Array.from(Buffer.from(secret, "hex"));
const signer = async (draft) => finalizeEvent(draft, key);
const bytes = new Uint8Array(200_000).map((_, i) => (i * 7) % 251);
const blob = new Blob([bytes], { type: "application/octet-stream" });
const saw = {};

const uploaded = await Actions.uploadBlob(server, blob, { onAuth: (s, hash) => createUploadAuth(signer, hash, { servers: s }) });
saw.sha256 = uploaded.sha256;
saw.size = uploaded.size;
const again = await Actions.uploadBlob(server, blob, { auth: await createUploadAuth(signer, blob) });
saw.again = again.sha256 === uploaded.sha256;

saw.open = await Actions.downloadBlob(server, uploaded.sha256, { auth: false }).then(() => "served", (e) => e.message);
const answer = await Actions.downloadBlob(server, uploaded.sha256, { onAuth: (s, hash) => createDownloadAuth(signer, [s, hash]) });
saw.type = answer.headers.get("content-type");
saw.same = Buffer.compare(Buffer.from(await answer.arrayBuffer()), Buffer.from(bytes)) === 0;

saw.deleted = await Actions.deleteBlob(server, uploaded.sha256, { onAuth: (s, hash) => createDeleteAuth(signer, hash, { servers: s }) });
saw.gone = await Actions.downloadBlob(server, uploaded.sha256, { onAuth: (s, hash) => createDownloadAuth(signer, [s, hash]) })
  .then(() => "served", (e) => String(e.status ?? e.response?.status ?? e.message));
console.log(JSON.stringify(saw));
process.exit(0);
