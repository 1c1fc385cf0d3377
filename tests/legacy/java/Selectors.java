import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.filter.BooleanExpression;
import org.apache.activemq.filter.MessageEvaluationContext;
import org.apache.activemq.selector.SelectorParser;

/** Answers for each line (selector, then name, type, value …, tab-separated, in hexadecimal) what
 * the product makes of it: true, false, failed (no answer), or refused (no selector). */
public class Selectors {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(answer(line.split("\t", -1)));
        }
    }

    private static String answer(String[] parts) throws Exception {
        BooleanExpression selector;
        try {
            selector = SelectorParser.parse(text(parts[0]));
        } catch (Exception refused) {
            return "refused";
        }
        ActiveMQMessage message = new ActiveMQMessage();
        for (int at = 1; at + 2 < parts.length; at += 3) {
            message.setObjectProperty(text(parts[at]), value(parts[at + 1], text(parts[at + 2])));
        }
        message.setDestination(new org.apache.activemq.command.ActiveMQQueue("Q"));
        MessageEvaluationContext context = new MessageEvaluationContext();
        context.setMessageReference(message);
        try {
            return selector.matches(context) ? "true" : "false";
        } catch (RuntimeException failed) {
            return "failed";
        }
    }

    private static Object value(String type, String text) {
        switch (type) {
            case "boolean": return Boolean.valueOf(text);
            case "byte": return Byte.valueOf(text);
            case "short": return Short.valueOf(text);
            case "int": return Integer.valueOf(text);
            case "long": return Long.valueOf(text);
            case "float": return Float.valueOf(text);
            case "double": return Double.valueOf(text);
            default: return text;
        }
    }

    private static String text(String hexadecimal) {
        byte[] bytes = new byte[hexadecimal.length() / 2];
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = (byte) Integer.parseInt(hexadecimal.substring(2 * at, 2 * at + 2), 16);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
