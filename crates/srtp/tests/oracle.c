/* The C library, asked line by line: "keys SUITE HEX", then "protect|unprotect rtp|rtcp HEX"; the answer is HEX, or "error". */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static srtp_t out, in;

static int unhex(const char *text, unsigned char *bytes) {
    int len = 0;
    unsigned byte;
    while (sscanf(text + 2 * len, "%2x", &byte) == 1) bytes[len++] = byte;
    return len;
}

static int begin(const char *suite, unsigned char *key) {
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    if (!strcmp(suite, "AES_CM_128_HMAC_SHA1_80")) {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    } else if (!strcmp(suite, "AES_CM_128_HMAC_SHA1_32")) {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    } else if (!strcmp(suite, "AES_256_CM_HMAC_SHA1_80")) {
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp);
    } else if (!strcmp(suite, "AES_256_CM_HMAC_SHA1_32")) {
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp);
    } else if (!strcmp(suite, "AEAD_AES_128_GCM")) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else if (!strcmp(suite, "AEAD_AES_256_GCM")) {
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
    } else {
        return 0;
    }
    policy.key = key;
    policy.window_size = 128;
    policy.ssrc.type = ssrc_any_outbound;
    if (out) srtp_dealloc(out);
    if (in) srtp_dealloc(in);
    out = in = NULL;
    if (srtp_create(&out, &policy)) return 0;
    policy.ssrc.type = ssrc_any_inbound;
    return !srtp_create(&in, &policy);
}

int main(void) {
    static char line[16384], what[32], which[32], text[16384];
    static unsigned char bytes[8192];
    if (srtp_init()) return 1;
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%31s %31s %16383s", what, which, text) == 3) {
        int rtcp = !strcmp(which, "rtcp"), len = unhex(text, bytes);
        srtp_err_status_t status;
        if (!strcmp(what, "keys")) {
            puts(begin(which, bytes) ? "ok" : "error");
        } else {
            if (!strcmp(what, "protect"))
                status = rtcp ? srtp_protect_rtcp(out, bytes, &len) : srtp_protect(out, bytes, &len);
            else
                status = rtcp ? srtp_unprotect_rtcp(in, bytes, &len) : srtp_unprotect(in, bytes, &len);
            if (status) {
                puts("error");
            } else {
                for (int i = 0; i < len; i++) printf("%02x", bytes[i]);
                puts("");
            }
        }
        fflush(stdout);
    }
    return 0;
}
