// Package kimaitest is a Kimai for tests: a server with users, roles, projects
// and records that keeps the rules of a real one as far as they concern what the
// adapter calls. Its answers are held to recorded exchanges with Kimai 2.66.0 in
// testdata, which were made in an empty installation with invented people.
//
// Deviations of a server that is ill (lost answers, gateways, redirects) are not
// its business: put a [Fault] in front of it.
package kimaitest
