package invite

// HubClaim makes a claim with a given id, for the test vectors.
var HubClaim = hubClaim
