// Validates certificates with Java's PKIX validator in CRL mode: `java Relying.java ROOT LEAF…`, all PEM.
// Intermediates come from the addresses in the certificates (caIssuers), lists from their distribution points.
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.URI;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

class Relying {
    static final CertificateFactory FACTORY = factory();

    static CertificateFactory factory() {
        try {
            return CertificateFactory.getInstance("X.509");
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    public static void main(String[] names) throws Exception {
        System.setProperty("com.sun.security.enableCRLDP", "true");
        System.setProperty("com.sun.security.enableAIAcaIssuers", "true");
        TrustAnchor anchor = new TrustAnchor(read(names[0]), null);
        for (int at = 1; at < names.length; at++) {
            System.out.println(names[at] + ": " + judge(anchor, read(names[at])));
        }
    }

    static X509Certificate read(String name) throws Exception {
        try (InputStream file = new FileInputStream(name)) {
            return (X509Certificate) FACTORY.generateCertificate(file);
        }
    }

    static String judge(TrustAnchor anchor, X509Certificate leaf) throws Exception {
        List<X509Certificate> path = new ArrayList<>(List.of(leaf));
        String issuer = issuerAddress(leaf);
        try (InputStream content = URI.create(issuer).toURL().openStream()) {
            path.add((X509Certificate) FACTORY.generateCertificate(content));
        }
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(EnumSet.of(
            PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
        PKIXParameters parameters = new PKIXParameters(Set.of(anchor));
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(FACTORY.generateCertPath(path), parameters);
            return "valid";
        } catch (CertPathValidatorException error) {
            return error.getMessage();
        }
    }

    // The URL after the OID of id-ad-caIssuers and the tag of a URI; a DER parser is not worth its lines here.
    static String issuerAddress(X509Certificate leaf) {
        byte[] access = leaf.getExtensionValue("1.3.6.1.5.5.7.1.1");
        String text = new String(access, java.nio.charset.StandardCharsets.ISO_8859_1);
        String oid = "+\u0006\u0001\u0005\u0005\u00070\u0002\u0086";
        int start = text.indexOf(oid) + oid.length();
        return text.substring(start + 1, start + 1 + text.charAt(start));
    }
}
