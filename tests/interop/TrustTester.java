// Visits TLS servers as Java clients do: `java TrustTester.java ROOTS HOST:PORT…`, ROOTS in PEM, every host at 127.0.0.1.
// Certificates that servers send are checked for revocation in CRL mode, each one below the root.
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.Socket;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

class TrustTester {
    public static void main(String[] words) throws Exception {
        System.setProperty("com.sun.net.ssl.checkRevocation", "true");
        System.setProperty("com.sun.security.enableCRLDP", "true");
        System.setProperty("com.sun.security.enableAIAcaIssuers", "true");
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream file = new FileInputStream(words[0])) {
            for (Certificate root : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                store.setCertificateEntry("root" + store.size(), root);
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        for (int at = 1; at < words.length; at++) {
            System.out.println(words[at] + " " + visit(context, words[at].split(":")));
        }
    }

    static String visit(SSLContext context, String[] place) throws Exception {
        int port = Integer.parseInt(place[1]);
        Socket plain = new Socket("127.0.0.1", port);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, place[0], port, true)) {
            SSLParameters wanted = socket.getSSLParameters();
            wanted.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(wanted);
            socket.startHandshake();
            return "Connection successful";
        } catch (Exception error) {
            Throwable cause = error;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return String.valueOf(cause.getMessage());
        }
    }
}
