package server

// HubAdmins reads the admins of a hub.
var HubAdmins = hubAdmins

// Run is Main with streams and a context of its own.
var Run = run
