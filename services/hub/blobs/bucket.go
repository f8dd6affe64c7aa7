package blobs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"pow.do/services/pow"
)

// Bucket keeps blobs as objects <prefix><hash>-<random> of an S3 bucket, which
// several hubs may share: as no two uploads have the same name, deleting an old
// one never takes a new one away.
type Bucket struct {
	core   minio.Core
	bucket string
	prefix string
	idle   func() // closes connections that nobody uses
}

// Limits of requests to a bucket.
const (
	bucketWait  = time.Minute // without progress
	bucketTries = 3
)

// OpenBucket reads s3://BUCKET[/PREFIX/]?endpoint=URL[&region=NAME][&credentials=FILE].
// The access key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or from
// the credentials file (AWS's form), never from the URL, which other users of
// the machine may see. The bucket is not looked at: see Ready.
func OpenBucket(text string) (*Bucket, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" {
		return nil, errors.New("blobs: want s3://BUCKET?endpoint=URL")
	}
	if u.User != nil {
		return nil, errors.New("blobs: put the access key into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a file (credentials=FILE), not into the URL")
	}
	q := u.Query()
	for name := range q {
		switch name {
		case "endpoint", "region", "credentials":
		default:
			return nil, fmt.Errorf("blobs: %q is no parameter of s3://; there are endpoint, region and credentials", name)
		}
	}
	end, err := url.Parse(q.Get("endpoint"))
	if err != nil || end.Scheme != "https" && end.Scheme != "http" || end.Host == "" || end.User != nil || strings.Trim(end.Path, "/") != "" {
		return nil, errors.New("blobs: want endpoint=https://HOST[:PORT]")
	}
	transport := &http.Transport{DisableCompression: true, ResponseHeaderTimeout: bucketWait, TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true}
	client, err := minio.New(end.Host, &minio.Options{Secure: end.Scheme == "https", Region: q.Get("region"), Transport: transport,
		MaxRetries: bucketTries, Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{Filename: q.Get("credentials")}})})
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return &Bucket{core: minio.Core{Client: client}, bucket: u.Host, prefix: strings.TrimPrefix(u.Path, "/"), idle: transport.CloseIdleConnections}, nil
}

// Close gives back what is not in use.
func (b *Bucket) Close() { b.idle() }

func (b *Bucket) key(x pow.Hash, name string) string { return b.prefix + x.String() + "-" + name }

// Put uploads in one request that the server refuses if the bytes do not have
// the hash; nothing is visible before it has them all.
func (b *Bucket) Put(ctx context.Context, x pow.Hash, f *os.File, size int64) (string, error) {
	var random [8]byte
	rand.Read(random[:])
	name := hex.EncodeToString(random[:])
	ctx, alive := withProgress(ctx)
	defer alive.stop()
	body := &section{io.NewSectionReader(f, 0, size), alive}
	_, err := b.core.PutObject(ctx, b.bucket, b.key(x, name), body, size, "", x.String(), minio.PutObjectOptions{
		ContentType: contentType, DisableContentSha256: true, // of the body in chunks: the request is signed with the hash of all
	})
	return name, bucketError(err)
}

// section is a part of a file whose reading is progress. It can be read again
// from its start, for another try.
type section struct {
	*io.SectionReader
	alive *progress
}

func (s *section) Read(p []byte) (int, error) {
	s.alive.made()
	return s.SectionReader.Read(p)
}

// bucketError drops what the server said beyond its code: names in it are hashes.
func bucketError(err error) error {
	if err == nil {
		return nil
	}
	var r minio.ErrorResponse
	var u *url.Error
	switch {
	case errors.As(err, &r) && (r.StatusCode == http.StatusNotFound && r.Code != minio.NoSuchBucket):
		return fs.ErrNotExist
	case errors.As(err, &r):
		return fmt.Errorf("the bucket answers %d %s", r.StatusCode, r.Code)
	case errors.As(err, &u):
		return fmt.Errorf("the bucket does not answer: %w", u.Err)
	}
	return fmt.Errorf("the bucket: %w", err)
}

// Open asks whether the object is there; its bytes are asked for when they are read.
func (b *Bucket) Open(ctx context.Context, x pow.Hash, name string) (io.ReadSeekCloser, error) {
	ctx, alive := withProgress(ctx)
	info, err := b.core.StatObject(ctx, b.bucket, b.key(x, name), minio.StatObjectOptions{})
	if err != nil {
		alive.stop()
		return nil, bucketError(err)
	}
	return &object{bucket: b, ctx: ctx, alive: alive, key: b.key(x, name), size: info.Size}, nil
}

// object reads one object, from wherever it was sought to.
type object struct {
	bucket *Bucket
	ctx    context.Context // of Open's caller, who also closes it
	alive  *progress
	key    string
	size   int64
	at     int64
	body   io.ReadCloser // nil until it is read
}

// Seek implements io.Seeker.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("blobs: sought before the start")
	}
	if offset != o.at && o.body != nil {
		o.body.Close()
		o.body = nil
	}
	o.at = offset
	return offset, nil
}

// Read implements io.Reader.
func (o *object) Read(p []byte) (int, error) {
	if o.at >= o.size {
		return 0, io.EOF
	}
	o.alive.made()
	if o.body == nil {
		var options minio.GetObjectOptions
		if o.at > 0 {
			if err := options.SetRange(o.at, 0); err != nil {
				return 0, err
			}
		}
		body, _, _, err := o.bucket.core.GetObject(o.ctx, o.bucket.bucket, o.key, options)
		if err != nil {
			return 0, bucketError(err)
		}
		o.body = body
	}
	n, err := o.body.Read(p)
	o.at += int64(n)
	if err == io.EOF && o.at < o.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close implements io.Closer.
func (o *object) Close() error {
	o.alive.stop()
	if o.body != nil {
		return o.body.Close()
	}
	return nil
}

// Remove implements Bytes.
func (b *Bucket) Remove(ctx context.Context, x pow.Hash, name string) error {
	ctx, alive := withProgress(ctx)
	defer alive.stop()
	err := bucketError(b.core.RemoveObject(ctx, b.bucket, b.key(x, name), minio.RemoveObjectOptions{}))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Each implements Bytes; what else lies in the bucket is left alone.
func (b *Bucket) Each(ctx context.Context, before time.Time, f func(x pow.Hash, name string, old bool) error) error {
	ctx, alive := withProgress(ctx)
	defer alive.stop()
	for info := range b.core.ListObjectsIter(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if info.Err != nil {
			return bucketError(info.Err)
		}
		alive.made()
		hash, name, _ := strings.Cut(strings.TrimPrefix(info.Key, b.prefix), "-")
		x, err := pow.ParseHash(hash)
		if err != nil || name == "" {
			continue
		}
		if err := f(x, name, !info.LastModified.After(before)); err != nil {
			return err
		}
	}
	return nil
}

// Ready implements Bytes: the bucket is there and may be used.
func (b *Bucket) Ready(ctx context.Context) error {
	ok, err := b.core.BucketExists(ctx, b.bucket)
	if err == nil && !ok {
		err = errors.New("the bucket does not exist")
	}
	return bucketError(err)
}

// progress ends a request that makes none for bucketWait.
type progress struct {
	timer *time.Timer
	stop  context.CancelFunc
}

func withProgress(ctx context.Context) (context.Context, *progress) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(bucketWait, cancel)
	return ctx, &progress{timer, func() { timer.Stop(); cancel() }}
}

func (p *progress) made() { p.timer.Reset(bucketWait) }
